"""What a checkout needs beside the repository's own objects: submodules, and the files that git-lfs keeps."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from unmoor.adapters.git_program import GitProgram
from unmoor.errors import Unknown


def complete(
    git: GitProgram, folder: Path, commit: str, *, paths: Sequence[str], read: Callable[[str, str], bytes | None]
) -> None:
    """Fetch submodules, by the protocols that git allows for them, and large files where git-lfs is here."""
    if ".gitmodules" in paths:
        try:
            git.run(
                *("submodule", "--quiet", "update", "--init", "--recursive"),
                cwd=folder,
                remote=True,
                timeout=600.0,
            )
        except Unknown as error:
            raise Unknown(
                f"a submodule cannot be fetched: {error.what}",
                where=f".gitmodules at {commit[:12]}",
                next_step="see that its address can be read from here: git clone --recurse-submodules; a path on"
                " this machine is taken only if git is told so: protocol.file.allow",
            ) from error
    if shutil.which("git-lfs", path=git.environ.get("PATH")) is None:
        return
    attributes = (path for path in paths if path.rpartition("/")[2] == ".gitattributes")
    if any(b"filter=lfs" in (read(commit, path) or b"") for path in attributes):
        git.run("lfs", "pull", cwd=folder, remote=True, timeout=600.0)
