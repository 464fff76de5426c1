"""What the history of a commit tells of single files."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from unmoor.adapters.git.program import GitProgram

# Arguments of one call of git; more files than this are not asked for.
_MOST: Final = 500


def deleted(git: GitProgram, folder: Path, commit: str, paths: Sequence[str], *, within: str = "") -> frozenset[str]:
    """Which of some paths the history of a commit has deleted; see `unmoor.ports.git.Git`.

    ``folder`` is the top of the checkout, ``within`` the folder that the paths are named from.
    """
    whole = {posixpath.normpath(posixpath.join(within, path)): path for path in paths[:_MOST]}
    if not whole:
        return frozenset()
    asked = ("log", "-z", "--diff-filter=D", "--no-renames", "--name-only", "--no-color", "--format=", commit, "--")
    out = git.run(*asked, *whole, cwd=folder).out
    return frozenset(whole[path] for each in out.split("\0") if (path := each.strip("\n")) in whole)
