"""The folders in which git refuses to work, because they belong to another user.

Git checks the checkout, for a clone also its git directory, and for files of submodules those. It names one in each
error, so that whoever follows only the error meets the next. Source: ``safe.directory`` in ``git help config``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath
from typing import Final

from unmoor.filesystem.commands import join, sequence

_NAMED: Final = re.compile(r"dubious ownership in repository at '([^'\n]+)'")
_WORKTREE: Final = re.compile(r"^\s*worktree\s*=\s*(\S.*?)\s*$", re.MULTILINE)
_LONGEST: Final = 100_000


def trust_command(folder: Path, output: str) -> str:
    """The command that makes git work in the repository around a folder, with its submodules.

    ``output`` is git's error, which names at least one of the folders.
    """
    named = [Path(each) for each in _NAMED.findall(output)]
    places = dict.fromkeys([*_places(folder.resolve()), *named])
    trust = ("git", "config", "--global", "--add", "safe.directory")
    return sequence(join((*trust, path_for_git(each))) for each in places)


def path_for_git(folder: PurePath) -> str:
    """Write a folder as git compares it: with slashes, and a network share of Windows after ``%(prefix)/``."""
    name = folder.as_posix()
    return f"%(prefix)/{name}" if name.startswith("//") else name


def _places(folder: Path) -> Sequence[Path]:
    top = next((each for each in (folder, *folder.parents) if os.path.lexists(each / ".git")), None)
    if top is None:
        return [folder]
    git_dir = top / ".git"
    if git_dir.is_file():
        git_dir = (top / _read(git_dir).removeprefix("gitdir:").strip()).resolve()
    common = (git_dir / _read(git_dir / "commondir").strip()).resolve()
    return [top, git_dir, common, *_submodules(common)]


def _submodules(git_dir: Path) -> Iterator[Path]:
    """Yield the folder and the git directory of each submodule, and of those in it."""
    for at, folders, files in os.walk(git_dir / "modules"):
        if "HEAD" not in files or "config" not in files:
            continue
        module = Path(at)
        if match := _WORKTREE.search(_read(module / "config")):
            yield (module / match[1]).resolve()
            yield module
        folders[:] = [each for each in folders if each == "modules"]


def _read(path: Path) -> str:
    """The beginning of a small file, empty if it cannot be read."""
    try:
        with path.open(encoding="utf-8", errors="surrogateescape") as stream:
            return stream.read(_LONGEST)
    except OSError:
        return ""
