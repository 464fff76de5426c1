"""Find commits, which files the history of one deletes, and which differ between two."""

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


def changed_files(git: GitProgram, folder: Path, old: str, new: str, *, within: str = "") -> tuple[str, ...]:
    """The paths below a folder, relative to it, that differ between two commits, of which both are full ids.

    ``folder`` is the top of the checkout, ``within`` the folder.
    """
    options = ("diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-relative")
    out = git.run(*options, old, new, "--", within or ".", cwd=folder).out
    start = f"{within}/" if within else ""
    return tuple(path.removeprefix(start) for path in out.split("\0") if path.startswith(start) and path)


def merge_base(git: GitProgram, folder: Path, one: str, other: str) -> str | None:
    """The best common ancestor of two commits, of which both are full ids; ``None`` if the checkout has none."""
    return git.run("merge-base", one, other, "--", cwd=folder, fine=(0, 1)).out.strip() or None


def commit_at(git: GitProgram, folder: Path, revision: str) -> str | None:
    """The full id of the commit that a revision names, such as ``HEAD~1``; ``None`` if there is none in a checkout."""
    if "\0" in revision:
        return None
    asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    return git.run(*asked, cwd=folder, fine=(0, 1, 128)).out.strip() or None
