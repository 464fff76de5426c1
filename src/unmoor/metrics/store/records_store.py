"""Read records from a store, and add some so that another writer at the same time loses nothing.

To add records, the store is read, the lines are added to what was read, and the files are replaced only if nobody
changed them since. If somebody did, everything begins again with a fresh read.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from unmoor.errors import TryLater, Unknown
from unmoor.metrics.records import KINDS, Record
from unmoor.metrics.store import lines
from unmoor.metrics.store.lines import Appended, RecordFile
from unmoor.ports.clock import Clock
from unmoor.ports.record_files import FilesState, RecordFiles

if TYPE_CHECKING:
    from collections.abc import Callable

R = TypeVar("R", bound=Record)
_TRIES: Final = 12
_FIRST_WAIT: Final = 0.05
_LONGEST_WAIT: Final = 5.0


@dataclass(frozen=True, kw_only=True)
class RecordStore:
    """The records in some files. ``jitter`` is a number from 0 to 1 that keeps two writers from meeting again."""

    files: RecordFiles
    clock: Clock
    jitter: Callable[[], float] = random.random

    @property
    def where(self) -> str:
        """The place, as text for messages."""
        return self.files.where

    def read(self, kinds: Collection[type[Any]] = KINDS, *, since: str = "") -> tuple[Record, ...]:
        """Read the records of some kinds, each once, those of older months first within a kind.

        ``since`` is the first month that counts, such as ``2026-11``. Raises `Refused`, with file and line, if a line
        is no record; nothing is left out.
        """
        state = self.files.state()
        folders = {kind.folder for kind in kinds}
        found: list[Record] = []
        for file in lines.list_files(state.ids, self.where):
            if file.folder in folders and file.month >= since:
                found += lines.read(self.files.read(state, file.path), file, self.where)
        return lines.latest(found)

    def read_kind(self, kind: type[R], *, since: str = "") -> tuple[R, ...]:
        """Read the records of one kind; see `read`."""
        return tuple(each for each in self.read((kind,), since=since) if isinstance(each, kind))

    def append(self, records: Sequence[Record], message: str) -> Appended:
        """Add records; those that are there already, with the same values, change nothing.

        ``message`` is that of the commit, if the store is a branch. Raises `Refused` for a store with a broken line,
        before anything is written, and `TryLater` if other writers were faster each time.
        """
        wait = _FIRST_WAIT
        for _ in range(_TRIES):
            state = self.files.state()
            added = self._added(records, state)
            if not added.files or self.files.write(state, added.files, message):
                return added
            self.clock.sleep(wait * (0.5 + self.jitter()))
            wait = min(2 * wait, _LONGEST_WAIT)
        raise TryLater(f"other writers changed the store {_TRIES} times meanwhile", where=self.where)

    def preview(self, records: Sequence[Record]) -> Appended:
        """Say what `append` would change, and change nothing. Raises `Refused` for a store with a broken line."""
        return self._added(records, self.files.state())

    def _added(self, records: Sequence[Record], state: FilesState) -> Appended:
        def content(file: RecordFile) -> bytes:
            return self.files.read(state, file.path)

        try:
            return lines.append(records, lines.list_files(state.ids, self.where), content, self.where)
        except ValueError as error:  # a fault of whoever made the record, not of the store
            raise Unknown(str(error), where=self.where) from error
