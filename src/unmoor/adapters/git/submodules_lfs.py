"""Submodules and git-lfs files, which a clone does not bring along."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from unmoor import advice
from unmoor.adapters.git.clone import NO_FILTER, WITHOUT_USER
from unmoor.adapters.git.filters import without_user_filters
from unmoor.adapters.git.program import GitProgram
from unmoor.dists.lfs_pointers import pointers
from unmoor.errors import ToolMissing, Unknown
from unmoor.util.text import list_some
from unmoor.util.values import replace

_MOST_NAMED = 3
_IN_EACH = "git lfs install --local --skip-repo && git lfs pull --include= --exclude="


def fetch_submodules_and_lfs(
    git: GitProgram,
    folder: Path,
    commit: str,
    *,
    source: Path,
    paths: Sequence[str],
    read: Callable[[str, str], bytes | None],
    within: str = "",
) -> None:
    """Fetch submodules, over the protocols that git allows for them, and large files.

    ``source`` is the checkout that ``folder`` was cloned from. Raises `Unknown` for anything that cannot be fetched,
    and `ToolMissing` if large files need git-lfs and it is not installed. Large files outside ``within``, the folder
    of the project, may be missing: if one of them gets into a built file, that is refused.
    """
    modules = ".gitmodules" in paths
    if modules:
        _fetch_submodules(git, folder, commit)
    attributes = (path for path in paths if path.rpartition("/")[2] == ".gitattributes")
    if modules or any(b"filter=lfs" in (read(commit, path) or b"") for path in attributes):
        _fetch_large_files(git, folder, source, modules=modules, within=within)


def _fetch_submodules(git: GitProgram, folder: Path, commit: str) -> None:
    try:
        git.run(
            *("submodule", "--quiet", "update", "--init", "--recursive"),
            cwd=folder,
            remote=True,
            timeout=600.0,
            env=without_user_filters(git, folder),
            config=(*NO_FILTER, *WITHOUT_USER),
        )
    except Unknown as error:
        raise Unknown(
            f"cannot fetch a submodule: {error.what}",
            where=f".gitmodules at {commit[:12]}",
            next_step=advice.CHECK_SUBMODULE(),
        ) from error


def _fetch_large_files(git: GitProgram, folder: Path, source: Path, *, modules: bool, within: str) -> None:
    """Replace pointers with their files: first those that the checkout has, then those from the remote."""
    found = pointers(folder)
    if not found:
        return
    needed = _needed(found, within)
    # Asked of git, which on Windows has it in a folder of its own.
    if git.run("lfs", "version", cwd=folder, fine=range(256)).code != 0:
        if not needed:
            return
        raise ToolMissing(
            f"git-lfs is not installed, and it stores {list_some(needed, _MOST_NAMED)}",
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
            # Whatever the settings say: they may leave out what a release contains.
            pull = ("lfs", "pull", "--include=", "--exclude=")
            git.run(*pull, cwd=folder, remote=True, timeout=600.0 if needed else 60.0, config=WITHOUT_USER)
        if modules and pointers(folder):
            each = ("submodule", "--quiet", "foreach", "--recursive", _IN_EACH)
            git.run(*each, cwd=folder, remote=True, timeout=600.0, config=WITHOUT_USER)
    except Unknown as error:
        if left := _needed(pointers(folder), within):
            raise _missing(left, f": {error.what}") from error
        return
    if left := _needed(pointers(folder), within):
        raise _missing(left, "")


def _needed(found: Sequence[str], within: str) -> list[str]:
    """The files in the folder of the project."""
    return [path for path in found if not within or path.startswith(f"{within}/")]


def store_of(git: GitProgram, source: Path) -> Path:
    """The folder in which a checkout of the user stores its large files."""
    git = replace(git, own=False)
    setting = git.run("config", "--get", "lfs.storage", cwd=source, fine=(0, 1)).out.strip()
    git_dir = Path(git.run("rev-parse", "--git-common-dir", cwd=source).out.removesuffix("\n"))
    return (source / git_dir / (setting or "lfs")).resolve()


def _missing(files: Sequence[str], why: str) -> Unknown:
    return Unknown(
        f"git-lfs cannot fetch {list_some(files, _MOST_NAMED)}{why}",
        next_step=advice.PUSH_LFS_FILES(),
    )
