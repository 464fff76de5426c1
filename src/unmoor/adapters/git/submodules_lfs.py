"""What a checkout needs beside the repository's own objects: submodules, and the files that git-lfs keeps."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from unmoor.adapters.git.clone import NO_FILTER
from unmoor.adapters.git.program import GitProgram
from unmoor.dists.source_tree import pointers
from unmoor.errors import ToolMissing, Unknown

_SHOWN = 3
_IN_EACH = "git lfs install --local --skip-repo && git lfs pull"


def fetch_submodules_and_lfs(
    git: GitProgram,
    folder: Path,
    commit: str,
    *,
    source: Path,
    paths: Sequence[str],
    read: Callable[[str, str], bytes | None],
) -> None:
    """Fetch submodules, by the protocols that git allows for them, and large files.

    ``source`` is the checkout that ``folder`` was cloned from. Raises `Unknown` for what cannot be had, `ToolMissing`
    where large files are wanted and git-lfs is not on this machine.
    """
    modules = ".gitmodules" in paths
    if modules:
        _submodules(git, folder, commit)
    attributes = (path for path in paths if path.rpartition("/")[2] == ".gitattributes")
    if modules or any(b"filter=lfs" in (read(commit, path) or b"") for path in attributes):
        _large_files(git, folder, source, modules=modules)


def _submodules(git: GitProgram, folder: Path, commit: str) -> None:
    try:
        git.run(
            *("submodule", "--quiet", "update", "--init", "--recursive"),
            cwd=folder,
            remote=True,
            timeout=600.0,
            config=NO_FILTER,
        )
    except Unknown as error:
        raise Unknown(
            f"a submodule cannot be fetched: {error.what}",
            where=f".gitmodules at {commit[:12]}",
            next_step="see that its address can be read from here: git clone --recurse-submodules; a path on"
            " this machine is taken only if git is told so: protocol.file.allow",
        ) from error


def _large_files(git: GitProgram, folder: Path, source: Path, *, modules: bool) -> None:
    """Put the files in the place of their pointers: those that the checkout has, then those of the remote."""
    found = pointers(folder)
    if not found:
        return
    if shutil.which("git-lfs", path=git.environ.get("PATH")) is None:
        raise ToolMissing(
            f"git-lfs is not on this machine, and it keeps {_named(found)}",
            next_step="install it, for example: apt-get install git-lfs",
            retryable=True,
        )
    # The filters in this clone alone: without them git would call every large file changed.
    git.run("lfs", "install", "--local", "--skip-repo", cwd=folder)
    store = store_of(git, source)
    if (store / "objects").is_dir():
        git.run("lfs", "checkout", cwd=folder, timeout=600.0, config=(f"lfs.storage={store}",))
    try:
        if pointers(folder):
            git.run("lfs", "pull", cwd=folder, remote=True, timeout=600.0)
        if modules and pointers(folder):
            each = ("submodule", "--quiet", "foreach", "--recursive", _IN_EACH)
            git.run(*each, cwd=folder, remote=True, timeout=600.0)
    except Unknown as error:
        raise _absent(pointers(folder), f": {error.what}") from error
    if left := pointers(folder):
        raise _absent(left, "")


def store_of(git: GitProgram, source: Path) -> Path:
    """Where a checkout keeps the large files that it has."""
    said = git.run("config", "--get", "lfs.storage", cwd=source, fine=(0, 1)).out.strip()
    own = Path(git.run("rev-parse", "--git-common-dir", cwd=source).out.removesuffix("\n"))
    return (source / own / (said or "lfs")).resolve()


def _absent(files: Sequence[str], why: str) -> Unknown:
    return Unknown(
        f"git-lfs cannot fetch {_named(files)}{why}",
        next_step="see that the remote holds them: git lfs push --all origin; or fetch them into the checkout first:"
        " git lfs pull",
    )


def _named(files: Sequence[str]) -> str:
    more = f" and {len(files) - _SHOWN} more" if len(files) > _SHOWN else ""
    return f"{', '.join(files[:_SHOWN])}{more}"
