"""Everything in which the files of a repository differ from what unmoor would write: workflows, lists, the lock."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from unmoor.workflows.actions_lock import read_lock
from unmoor.workflows.comparing import DifferenceLevel, WorkflowDifference, compare
from unmoor.workflows.every import FOLDER, ExpectedFile
from unmoor.workflows.reading import is_ours, read_file, same_text
from unmoor.workflows.tool_list import PinnedList

LOCK: Final = f"{FOLDER}/actions.lock"
"""The lock of actions, which only GitHub's own command writes."""
_USES = re.compile(r"uses: *([\w.-]+/[\w.-]+)[\w./-]*@")


def differences(
    files: Sequence[ExpectedFile], lists: Sequence[PinnedList], read: Callable[[str], bytes | None]
) -> Iterator[WorkflowDifference]:
    """Yield how the files that are there differ. ``read`` returns a file by its path from the top of the repository.

    Raises `Refused` if a file cannot be read.
    """
    data = read(LOCK)
    lock = read_lock(LOCK, data) if data is not None else None

    def is_locked(path: str) -> Callable[[str], bool]:
        return lambda uses: lock is not None and lock.locks(path, uses)

    for each in files:
        found = read(each.path)
        if found is not None and not is_ours(found):
            what = "unmoor did not write this file: unmoor workflows write --replace"
            yield WorkflowDifference(file=each.path, line=1, place="the file", what=what)
        # Most files are the same, and then need not be taken apart.
        elif found is not None and not same_text(found, each.text):
            there = read_file(each.path, found)
            yield from compare(each.file, there, is_own=each.is_own, locked=is_locked(each.path))
    for pinned in lists:
        found = read(pinned.path)
        if found is not None:
            yield from pinned.faults(found.decode(errors="replace"))
    if data is not None and lock is None:
        what = "it cannot be read, so which actions are missing from it is not known; run: gh actions-lock"
        yield _of_lock(what, DifferenceLevel.WARNING)
    if lock is not None:
        for name in lock.missing({name for each in files for name in action_names(each)}):
            yield _of_lock(f"{name} is missing from it; run: gh actions-lock", DifferenceLevel.ERROR)


def action_names(expected: ExpectedFile) -> tuple[str, ...]:
    """The repositories of the actions that a file uses, as in ``actions/checkout``, sorted."""
    return tuple(sorted(set(_USES.findall(expected.text))))


def _of_lock(what: str, level: DifferenceLevel) -> WorkflowDifference:
    return WorkflowDifference(file=LOCK, line=1, place="dependencies", what=what, level=level)
