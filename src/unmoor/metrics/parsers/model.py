"""What the parsers are given and what they return."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import msgspec

from unmoor.metrics.records import LONGEST, Record
from unmoor.util.text import clean

LARGEST: Final = 200_000_000
"""Bytes of the largest file that is read."""


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a file besides its content: its name without suffix, the commit that was measured, and the time.

    ``commit`` is empty if nothing names one; ``named`` says that the user did, so that a file cannot say otherwise.
    ``imports`` lets lines of records have what only the forge knows, such as runs: a file that the project's code wrote
    must not decide that.
    """

    stem: str
    now: datetime
    commit: str = ""
    named: bool = False
    imports: bool = False

    def commit_or(self, found: str) -> str:
        """The commit that the user named, else the one in the file, else that of the checkout. Raises `NoCommit`."""
        commit = self.commit if self.named or not found else found
        if not commit:
            raise NoCommit
        return commit


class ParsedFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The records of a file, and what the user should know about them.

    ``repeats`` says that a record may replace one of another file, as in lines that were copied from a store.
    """

    records: tuple[Record, ...]
    notes: tuple[str, ...] = ()
    repeats: bool = False


class NoCommit(Exception):
    """Neither the file nor the checkout nor the user says which commit was measured."""


def short(text: str, otherwise: str) -> str:
    """A text from a file as a record may have it."""
    return clean(text, LONGEST) or otherwise


def moment(text: str, otherwise: datetime) -> datetime:
    """Read a time in ISO 8601, to the second; one without a zone is taken for UTC. Another text gives ``otherwise``."""
    try:
        found = datetime.fromisoformat(text[:40].strip())
    except ValueError:
        return otherwise
    try:
        aware = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except OverflowError:
        return otherwise
    return aware.replace(microsecond=0)
