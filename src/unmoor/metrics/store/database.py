"""The database that is built from the records of a store: SQLite, for questions that lines cannot answer.

The lines are what is kept; the database can be thrown away at any time. ``PRAGMA user_version`` is the number of the
migrations that made its schema, and an older database is brought up to date when it is opened. The reference page
``metrics-schema.md`` is generated from `DESCRIPTIONS`.

Times are text, in UTC and to the second, such as ``2026-11-29T18:30:00Z``, so that they sort. What is unknown is NULL.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from unmoor import advice
from unmoor.errors import Refused
from unmoor.metrics.records import (
    BenchmarkRecord,
    CoverageRecord,
    FetchedRecord,
    FindingsRecord,
    JobRecord,
    Record,
    ReleasedRecord,
    RunRecord,
    TestsRecord,
    UpdateRecord,
)
from unmoor.metrics.store.lines import latest
from unmoor.metrics.store.migrations import APPLICATION, MIGRATIONS
from unmoor.util.text import clean

_IN_MEMORY: Final = ":memory:"
# Seconds to wait for another program that has the file open.
_PATIENCE: Final = 5.0


def build(records: Iterable[Record], path: Path | None = None) -> sqlite3.Connection:
    """Build a database from records, in memory or in a file, and return the connection.

    A database that is there is brought up to date and gets these rows instead of its own, or stays as it is. Raises
    `Refused` if the file is another one, or cannot be written.
    """
    connection = open_database(path)
    try:
        with connection:
            for table, _ in _ROWS.values():
                connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
            _insert(connection, records)
    except BaseException as error:
        connection.close()
        if isinstance(error, sqlite3.DatabaseError):
            raise _refused(error, path) from error
        raise
    return connection


def add(connection: sqlite3.Connection, records: Iterable[Record]) -> None:
    """Add records in one transaction; one of the same key is replaced."""
    with connection:
        _insert(connection, records)


def _insert(connection: sqlite3.Connection, records: Iterable[Record]) -> None:
    by_kind: dict[type, list[Record]] = {}
    for record in latest(records):
        by_kind.setdefault(type(record), []).append(record)
    for kind, found in by_kind.items():
        table, row_of = _ROWS[kind]
        columns = tuple(row_of(found[0]))
        names, places = ", ".join(columns), ", ".join("?" * len(columns))
        connection.executemany(
            f"INSERT OR REPLACE INTO {table} ({names}) VALUES ({places})",  # noqa: S608 - our own names
            (tuple(row_of(each).values()) for each in found),
        )


def open_database(path: Path | None = None) -> sqlite3.Connection:
    """Open a database, or make one, and bring it up to date.

    Raises `Refused` if the file is no database of ours, or one of a newer version.
    """
    try:
        connection = sqlite3.connect(_IN_MEMORY if path is None else path, timeout=_PATIENCE)
    except sqlite3.DatabaseError as error:
        raise _refused(error, path) from error
    try:
        _migrate(connection)
    except BaseException as error:
        connection.close()
        if isinstance(error, sqlite3.DatabaseError | ValueError):
            raise _refused(error, path) from error
        raise
    return connection


def _refused(error: Exception, path: Path | None) -> Refused:
    return Refused(
        f"it cannot be the database of records: {clean(str(error), 200)}",
        where=clean(str(path), 1000),
        next_step=advice.NAME_OTHER_DATABASE(),
    )


def _migrate(connection: sqlite3.Connection) -> None:
    """Apply the migrations that a database does not have yet, each in a transaction. Raises `ValueError`."""
    version = _number(connection, "user_version")
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if tables and _number(connection, "application_id") != APPLICATION:
        msg = "another program made it"
        raise ValueError(msg)
    if version > len(MIGRATIONS):
        msg = f"a newer version of unmoor made it (schema {version}, this one knows {len(MIGRATIONS)})"
        raise ValueError(msg)
    for number, statements in enumerate(MIGRATIONS[version:], version + 1):
        with connection:
            connection.execute("BEGIN")
            for statement in statements:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.execute(f"PRAGMA user_version = {number}")


def _number(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def written(moment: datetime | None) -> str | None:
    """Return a time as the database has it."""
    return None if moment is None else f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}Z"


def _seconds(begin: datetime | None, end: datetime | None) -> float | None:
    """Return the time between two moments; ``None`` if one is missing or they are in the wrong order."""
    if begin is None or end is None or end < begin:
        return None
    return (end - begin).total_seconds()


def _run(record: RunRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "attempt": record.attempt,
        "workflow": record.workflow,
        "name": record.name,
        "event": record.event,
        "branch": record.branch,
        "commit_id": record.commit,
        "pull_request": record.pull_request,
        "created": written(record.created),
        "started": written(record.started),
        "conclusion": record.conclusion,
        "url": record.url,
    }


def _job(record: JobRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "run": record.run,
        "attempt": record.attempt,
        "workflow": record.workflow,
        "name": record.name,
        "commit_id": record.commit,
        "event": record.event,
        "created": written(record.created),
        "started": written(record.started),
        "completed": written(record.completed),
        "seconds": _seconds(record.started, record.completed),
        "queued": _seconds(record.created, record.started),
        "conclusion": record.conclusion,
    }


def _measured(record: CoverageRecord | TestsRecord | FindingsRecord | BenchmarkRecord) -> dict[str, Any]:
    import msgspec

    values = msgspec.structs.asdict(record)
    commit, at = values.pop("commit"), values.pop("at")
    return {"commit_id": commit, "at": written(at), **values}


def _release(record: ReleasedRecord) -> dict[str, Any]:
    return {"id": record.id, "tag": record.tag, "at": written(record.at), "prerelease": record.prerelease}


def _update(record: UpdateRecord) -> dict[str, Any]:
    return {
        "number": record.number,
        "title": record.title,
        "author": record.author,
        "created": written(record.created),
        "closed": written(record.closed),
        "merged": written(record.merged),
        "ecosystem": record.ecosystem,
        "security": record.security,
    }


def _fetched(record: FetchedRecord) -> dict[str, Any]:
    since, until = max(record.covered, key=lambda span: span[1], default=(None, None))
    return {
        "at": written(record.at),
        "since": written(since),
        "until": written(until),
        "unfinished": len(record.unfinished),
    }


_ROWS: Final[Mapping[type, tuple[str, Callable[[Any], dict[str, Any]]]]] = {
    RunRecord: ("runs", _run),
    JobRecord: ("jobs", _job),
    BenchmarkRecord: ("benchmarks", _measured),
    CoverageRecord: ("coverage", _measured),
    TestsRecord: ("tests", _measured),
    FindingsRecord: ("findings", _measured),
    ReleasedRecord: ("releases", _release),
    UpdateRecord: ("updates", _update),
    FetchedRecord: ("fetched", _fetched),
}
