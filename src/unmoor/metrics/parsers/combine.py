"""Put together the records of several files."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from unmoor.metrics.parsers.model import ParsedFigures
from unmoor.metrics.parsers.sarif_log import add_findings
from unmoor.metrics.records import FindingsRecord, Key, Record


class ParsedFile(msgspec.Struct, frozen=True, kw_only=True):
    """What a file has, and its name for messages."""

    name: str
    parsed: ParsedFigures


def combine(files: Sequence[ParsedFile]) -> tuple[Record, ...]:
    """Return the records of all files. Findings of one tool in several files are added up.

    Raises `ValueError` if two files have different figures of the same thing, since only one of them could be kept.
    """
    found: dict[tuple[str, Key], tuple[Record, ParsedFile]] = {}
    for file in files:
        for record in file.parsed.records:
            key = (record.folder, record.key)
            before, other = found.get(key, (record, file))
            if other is file or other.parsed.repeats or file.parsed.repeats:
                found[key] = (record, file)
            elif isinstance(before, FindingsRecord) and isinstance(record, FindingsRecord):
                found[key] = (add_findings(before, record), file)
            elif before != record:
                raise ValueError(_conflict(record, other.name, file.name))
    return tuple(record for record, _ in found.values())


def _conflict(record: Record, one: str, other: str) -> str:
    what = record.key[1] if len(record.key) > 1 else ""
    return f"{one} and {other} have different {record.folder}{f' of {what}' if what else ''} of one commit"
