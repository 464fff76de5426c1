"""Which files of a checkout differ from its commit."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from unmoor.adapters.git.filters import without_own_filters
from unmoor.adapters.git.program import GitProgram

_STATUS: Final = (
    *("status", "--porcelain=v1", "-z", "--untracked-files=no", "--no-renames", "--ignore-submodules=untracked"),
)
ANY_LINE_ENDS: Final = ("core.autocrlf=input", "core.safecrlf=false")
"""Settings with which git takes CRLF for LF, unless a file has CRLF in the commit."""


def changed_files(git: GitProgram, folder: Path) -> tuple[str, ...]:
    """Return the tracked files that differ from HEAD, staged or not, sorted. Ignores untracked files.

    Line ends are no difference: a checkout that Git for Windows made has CRLF, and git in WSL or in a container, which
    does not have its settings, finds every text file changed.
    """
    env = without_own_filters(git, folder)
    out = git.run(*_STATUS, cwd=folder, env=env).out
    if out:
        out = git.run(*_STATUS, cwd=folder, env=env, config=ANY_LINE_ENDS).out
    return tuple(sorted(entry[3:] for entry in out.split("\0") if entry))
