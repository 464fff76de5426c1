"""Find which files the history of a commit deletes."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from unmoor.adapters.git.program import GitProgram

# The most paths in one git call; any further paths are ignored.
_MOST_PATHS: Final = 500


def deleted(git: GitProgram, folder: Path, commit: str, paths: Sequence[str], *, within: str = "") -> frozenset[str]:
    """Return the paths that the history of a commit deletes; see `unmoor.ports.git.Git`.

    ``folder`` is the top of the checkout, ``within`` the folder that the paths are relative to.
    """
    by_full_path = {posixpath.normpath(posixpath.join(within, path)): path for path in paths[:_MOST_PATHS]}
    if not by_full_path:
        return frozenset()
    options = ("log", "-z", "--diff-filter=D", "--no-renames", "--name-only", "--no-color", "--format=", commit, "--")
    out = git.run(*options, *by_full_path, cwd=folder).out
    return frozenset(by_full_path[path] for each in out.split("\0") if (path := each.strip("\n")) in by_full_path)
