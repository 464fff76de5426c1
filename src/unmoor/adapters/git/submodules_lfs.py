"""Submodules and git-lfs files, which a clone does not bring along."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from unmoor import advice
from unmoor.adapters.git.clone import NO_FILTER
from unmoor.adapters.git.program import GitProgram
from unmoor.dists.source_tree import pointers
from unmoor.errors import ToolMissing, Unknown
from unmoor.util.text import list_some

_MOST_NAMED = 3
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
    """Fetch submodules, over the protocols that git allows for them, and large files.

    ``source`` is the checkout that ``folder`` was cloned from. Raises `Unknown` for anything that cannot be fetched,
    and `ToolMissing` if large files need git-lfs and it is not installed.
    """
    modules = ".gitmodules" in paths
    if modules:
        _fetch_submodules(git, folder, commit)
    attributes = (path for path in paths if path.rpartition("/")[2] == ".gitattributes")
    if modules or any(b"filter=lfs" in (read(commit, path) or b"") for path in attributes):
        _fetch_large_files(git, folder, source, modules=modules)


def _fetch_submodules(git: GitProgram, folder: Path, commit: str) -> None:
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
            f"cannot fetch a submodule: {error.what}",
            where=f".gitmodules at {commit[:12]}",
            next_step=advice.CHECK_SUBMODULE(),
        ) from error


def _fetch_large_files(git: GitProgram, folder: Path, source: Path, *, modules: bool) -> None:
    """Replace pointers with their files: first those that the checkout has, then those from the remote."""
    found = pointers(folder)
    if not found:
        return
    if shutil.which("git-lfs", path=git.environ.get("PATH")) is None:
        raise ToolMissing(
            f"git-lfs is not installed, and it stores {list_some(found, _MOST_NAMED)}",
            next_step=advice.INSTALL_GIT_LFS(),
            retryable=True,
        )
    # Install the filters in this clone only. Without them git reports every large file as changed.
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
        raise _missing(pointers(folder), f": {error.what}") from error
    if left := pointers(folder):
        raise _missing(left, "")


def store_of(git: GitProgram, source: Path) -> Path:
    """The folder in which a checkout stores its large files."""
    setting = git.run("config", "--get", "lfs.storage", cwd=source, fine=(0, 1)).out.strip()
    git_dir = Path(git.run("rev-parse", "--git-common-dir", cwd=source).out.removesuffix("\n"))
    return (source / git_dir / (setting or "lfs")).resolve()


def _missing(files: Sequence[str], why: str) -> Unknown:
    return Unknown(
        f"git-lfs cannot fetch {list_some(files, _MOST_NAMED)}{why}",
        next_step=advice.PUSH_LFS_FILES(),
    )
