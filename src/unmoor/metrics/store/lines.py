"""The files of a store: ``KIND/YYYY-MM.jsonl``, a record on each line, in the month of the record's own time.

A month that grows beyond a megabyte goes on in ``KIND/YYYY-MM.2.jsonl`` and so on, so that adding a line never sends
more than that. Lines are only ever added.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC
from typing import Final, NoReturn

import msgspec

from unmoor import advice
from unmoor.errors import Refused
from unmoor.metrics.records import BY_FOLDER, CoverageRecord, FindingsRecord, Key, Record, TestsRecord
from unmoor.util.decode import decode_json, described
from unmoor.util.text import clean, count_of
from unmoor.util.values import replace

LARGEST_PART: Final = 1_000_000
"""Bytes of a file to which lines are still added."""
LARGEST_FILE: Final = 20_000_000
"""Bytes of the largest file that is read."""
LONGEST_LINE: Final = 20_000
"""Bytes of the longest line that is read."""
_NAME: Final = re.compile(r"(?P<month>[0-9]{4}-(0[1-9]|1[0-2]))(\.(?P<part>[1-9][0-9]{0,5}))?\.jsonl")
_SHOWN: Final = 3


class RecordFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a store: its folder, its month such as ``2026-11``, and which part of the month it is, from 1."""

    folder: str
    month: str
    part: int = 1

    @property
    def path(self) -> str:
        """The path from the top of the store, with a slash."""
        return f"{self.folder}/{self.month}{'' if self.part == 1 else f'.{self.part}'}.jsonl"

    @property
    def order(self) -> tuple[str, int]:
        """Sorts the files of one folder by the age of their lines."""
        return (self.month, self.part)


class Appended(msgspec.Struct, frozen=True, kw_only=True):
    """What records would change: how many are new, how many replace another one, and how many are there already.

    ``files`` are the new contents of files by path.
    """

    new: int = 0
    changed: int = 0
    same: int = 0
    files: Mapping[str, bytes] = msgspec.field(default_factory=dict)


def list_files(paths: Iterable[str], where: str) -> tuple[RecordFile, ...]:
    """Return the files of records among the paths of a store, sorted by folder and age.

    Other folders, and what is at the top, are not ours. Raises `Refused` for another file in a folder of records.
    """
    found = []
    for path in paths:
        folder, slash, name = path.partition("/")
        if not slash or folder not in BY_FOLDER:
            continue
        if (match := _NAME.fullmatch(name)) is None:
            raise Refused(
                f"{clean(path, 200)} is no file of records, which are called {folder}/YYYY-MM.jsonl",
                where=where,
                next_step=advice.REMOVE_FROM_STORE(),
            )
        found.append(RecordFile(folder=folder, month=match["month"], part=int(match["part"] or 1)))
    return tuple(sorted(found, key=lambda each: (each.folder, *each.order)))


def read(data: bytes, file: RecordFile, where: str) -> tuple[Record, ...]:
    """Read the lines of a file, in their order. Raises `Refused`, with file and line, if one is no record of its kind.

    A complete record at the end counts even without the end of its line.
    """
    if len(data) > LARGEST_FILE:
        raise Refused(
            f"{file.path} has more than {LARGEST_FILE // 1_000_000} MB",
            where=where,
            next_step=advice.REMOVE_FROM_STORE(),
        )
    kind = BY_FOLDER[file.folder]
    try:
        return tuple(msgspec.json.Decoder(described(kind)).decode_lines(data))
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        _refuse_lines(data, file, kind, where)


def _refuse_lines(data: bytes, file: RecordFile, kind: type[Record], where: str) -> NoReturn:
    """Raise `Refused`, with the number of each line that is no record."""
    wrong = []
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            if len(line) > LONGEST_LINE:
                msg = f"longer than {LONGEST_LINE} bytes"
                raise ValueError(msg)  # noqa: TRY301 - as any other
            decode_json(line, kind)
        except ValueError as error:
            wrong.append(f"{file.path}:{number}: {clean(str(error), 200)}")
    more = [f"and {count_of(len(wrong) - _SHOWN, 'more line')}"] if len(wrong) > _SHOWN else []
    raise Refused(
        "\n".join(["the store has lines that are no records of their kind", *wrong[:_SHOWN], *more]),
        where=where,
        next_step=advice.REPAIR_STORE(),
    )


def encode(record: Record) -> bytes:
    """Return the line of a record. Raises `ValueError` if it could not be read again."""
    line = msgspec.json.encode(record)
    if len(line) > LONGEST_LINE:
        msg = f"a record of {len(line)} bytes is too long"
        raise ValueError(msg)
    decode_json(line, type(record))
    return line + b"\n"


def file_of(record: Record) -> RecordFile:
    """Return the first file of the month that a record belongs to."""
    return RecordFile(folder=record.folder, month=f"{record.time.astimezone(UTC):%Y-%m}")


def latest(records: Iterable[Record]) -> tuple[Record, ...]:
    """Return each record once: of those of one kind and key the last one, in the place of the first."""
    found: dict[tuple[str, Key], Record] = {}
    for each in records:
        found[each.folder, each.key] = each
    return tuple(found.values())


def _is_same(before: Record, record: Record) -> bool:
    """Whether two records of one key say the same; when a commit was looked at again does not matter."""
    if isinstance(record, CoverageRecord | TestsRecord | FindingsRecord) and isinstance(before, type(record)):
        record = replace(record, at=before.at)
    return before == record


def append(
    records: Sequence[Record], files: Sequence[RecordFile], content: Callable[[RecordFile], bytes], where: str
) -> Appended:
    """Add records to the files of a store. ``content`` reads one of ``files``, and is called for those of their months.

    Raises `Refused` for a file with a broken line, and `ValueError` for a record that is too long.
    """
    months: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for record in latest(records):
        first = file_of(record)
        months[first.folder, first.month].append(record)
    new = changed = same = 0
    written: dict[str, bytearray] = {}
    for (folder, month), wanted in months.items():
        parts = [each for each in files if (each.folder, each.month) == (folder, month)]
        last, data = RecordFile(folder=folder, month=month), bytearray()
        known: dict[Key, Record] = {}
        for last in parts:
            data = bytearray(content(last))
            known |= {each.key: each for each in read(bytes(data), last, where)}
        for record in wanted:
            before = known.get(record.key)
            if before is not None and _is_same(before, record):
                same += 1
                continue
            new, changed = new + (before is None), changed + (before is not None)
            line = encode(record)
            if data and not data.endswith(b"\n"):
                data += b"\n"
            if data and len(data) + len(line) > LARGEST_PART:
                last, data = RecordFile(folder=folder, month=month, part=last.part + 1), bytearray()
            data += line
            written[last.path] = data
    contents = {path: bytes(data) for path, data in written.items()}
    return Appended(new=new, changed=changed, same=same, files=contents)
