"""Changes to the files that unmoor writes for GitHub Actions: workflows, and the lists that their jobs install from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from unmoor import advice
from unmoor.errors import Refused
from unmoor.scaffold.file_changes import FileChange
from unmoor.util.text import clean
from unmoor.workflows.comparing import DifferenceLevel, compare
from unmoor.workflows.every import ExpectedFile
from unmoor.workflows.merging import merged
from unmoor.workflows.reading import is_ours, read_file
from unmoor.workflows.tool_list import PinnedList

Read = Callable[[str], bytes | None]
Compile = Callable[[PinnedList], str]
"""Returns the list of versions and hashes for a requirement, as the index has them."""


class WorkflowChange(msgspec.Struct, frozen=True, kw_only=True):
    """A change to a file, and ``undone``: the changes of others to it that do not stay."""

    change: FileChange
    undone: tuple[str, ...] = ()


def workflow_change(read: Read, expected: ExpectedFile, *, replace: bool = False) -> WorkflowChange:
    """Return the change that makes a file what unmoor writes. Jobs of others and newer pins stay.

    Raises `Refused` for a file that unmoor did not write unless ``replace``, for one that cannot be read, and if the
    same workflow is there with the other ending.
    """
    refuse_twin(read, expected.path)
    before = read(expected.path)
    if before is None or (replace and not is_ours(before)):
        change = FileChange(path=expected.path, before=before, after=expected.text.encode())
        return WorkflowChange(change=change)
    if not is_ours(before):
        raise Refused(
            "unmoor did not write this file",
            where=expected.path,
            next_step=advice.REPLACE_WORKFLOW(name=Path(expected.path).stem),
        )
    if before == expected.text.encode():  # reading it would take longer than everything else
        return WorkflowChange(change=FileChange(path=expected.path, before=before, after=before))
    there = read_file(expected.path, before)
    text = merged(expected.file, there, is_own=expected.is_own)
    found = compare(expected.file, there, is_own=expected.is_own, locked=lambda _: False)
    return WorkflowChange(
        change=FileChange(path=expected.path, before=before, after=text.encode()),
        undone=tuple(
            f"{each.line}: {clean(each.place)}: {clean(each.what)}: changed back"
            for each in found
            if each.level is DifferenceLevel.ERROR
        ),
    )


def refuse_twin(read: Read, path: str) -> None:
    """Raise `Refused` if the same workflow is there with the other ending, so that both would run."""
    stem, _, ending = path.rpartition(".")
    twin = f"{stem}.{'yml' if ending == 'yaml' else 'yaml'}"
    if read(twin) is not None:
        raise Refused(
            f"{path} and this file would both run", where=twin, next_step=advice.REMOVE_TWIN_WORKFLOW(file=twin)
        )


def list_changes(read: Read, pinned: PinnedList, compile_list: Compile) -> Iterator[FileChange]:
    """Yield the changes of a list and of what it is made from. A list that is new enough stays as it is."""
    before = read(pinned.path)
    text = before.decode(errors="replace") if before is not None else None
    source = read(pinned.source)
    if text is not None and not any(each.level is DifferenceLevel.ERROR for each in pinned.faults(text)):
        if source is None:
            yield FileChange(path=pinned.source, before=None, after=pinned.made_from(text).encode())
        return
    compiled = compile_list(pinned)
    yield FileChange(path=pinned.source, before=source, after=pinned.made_from(compiled).encode())
    yield FileChange(path=pinned.path, before=before, after=pinned.text(compiled).encode())
