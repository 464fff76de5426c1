"""Keep what is in a repository from being imported or run in place of unmoor's own libraries and tools."""

from __future__ import annotations

import os
import sys
from types import ModuleType

import unmoor


def drop_repositories() -> None:
    """Take the current folder, and folders of git checkouts, off the import path.

    They get there with ``PYTHONPATH``, in which an empty entry is the current folder. A folder that unmoor itself is
    imported from stays. The variable is shortened too, so that programs of ours inherit nothing else. What Python
    imports before it starts unmoor, a ``sitecustomize`` for example, cannot be kept out here.
    """
    own = _real(os.path.join(os.path.dirname(unmoor.__file__), ".."))  # noqa: PTH118, PTH120 - pathlib is slow to import
    kept = []
    for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep):
        folder = _real(entry)
        if folder == own or not (folder == _real("") or _is_in_checkout(folder)):
            kept.append(entry)
        else:
            sys.path[:] = [each for each in sys.path if _real(each) != folder]
    if kept:
        os.environ["PYTHONPATH"] = os.pathsep.join(kept)
    else:
        os.environ.pop("PYTHONPATH", None)


def drop_relative_programs() -> None:
    """Take relative folders off ``PATH``: in them unmoor would find a ``git`` of the repository, as would its tools."""
    os.environ["PATH"] = absolute_folders(os.environ.get("PATH", "")) or absolute_folders(os.defpath)


def absolute_folders(path: str, rules: ModuleType = os.path, separator: str = os.pathsep) -> str:
    """Return a search path without its relative folders. ``rules`` is `os.path` of any system.

    On Windows an entry may be quoted, and the usual search path begins with the current folder.
    """
    return separator.join(each for each in path.split(separator) if rules.isabs(each.strip('"')))


def _real(folder: str) -> str:
    """The path of a folder without links. The current folder has none if it was deleted."""
    try:
        return os.path.realpath(folder)
    except OSError:
        return folder


def _is_in_checkout(folder: str) -> bool:
    """Whether a folder belongs to a git checkout."""
    while not os.path.lexists(os.path.join(folder, ".git")):  # noqa: PTH118
        above = os.path.dirname(folder)  # noqa: PTH120
        if above == folder:
            return False
        folder = above
    return True
