"""The database that is built from records."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.metric_records import EXAMPLES, LATER, MOMENT

from unmoor.errors import Refused
from unmoor.metrics.records import JobRecord, ReleasedRecord
from unmoor.metrics.store import database
from unmoor.metrics.store.migrations import DESCRIPTIONS, MIGRATIONS
from unmoor.util.values import replace


def _schema(connection: sqlite3.Connection) -> set[tuple[str, str]]:
    return set(connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))


def test_every_kind_has_a_row() -> None:
    """Each record becomes one row, with its times as text and the duration of a job apart from its queueing."""
    with closing(database.build(EXAMPLES)) as built:
        counts = {table: built.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in DESCRIPTIONS}  # noqa: S608
        assert counts == dict.fromkeys(DESCRIPTIONS, 1)
        assert built.execute("SELECT completed, seconds, queued FROM jobs").fetchone() == (
            "2026-11-29T12:05:00Z",
            300.0,
            0.0,
        )


def test_the_later_record_counts() -> None:
    """Of two records of one key the later one is in the database, in one build and in an addition."""
    release = ReleasedRecord(id=1, tag="v1", at=MOMENT, prerelease=True)
    with closing(database.build([release, replace(release, prerelease=False)])) as built:
        assert built.execute("SELECT prerelease FROM releases").fetchall() == [(0,)]
        database.add(built, [replace(release, tag="v2")])
        assert built.execute("SELECT tag FROM releases").fetchall() == [("v2",)]


def test_a_job_that_ended_before_it_began_has_no_duration() -> None:
    """Forges report such times of skipped jobs."""
    example = EXAMPLES[1]
    assert isinstance(example, JobRecord)
    job = replace(example, started=LATER, completed=MOMENT, conclusion="skipped")
    with closing(database.build([job])) as built:
        assert built.execute("SELECT seconds, queued FROM jobs").fetchone() == (None, 300.0)


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS) + 1))
def test_a_database_of_each_version_is_brought_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    """Its rows stay, its schema becomes that of a new database, and so does its version."""
    path = tmp_path / "metrics.sqlite"
    with monkeypatch.context() as old:
        old.setattr(database, "MIGRATIONS", MIGRATIONS[:version])
        with closing(database.open_database(path)) as older:
            database.add(older, EXAMPLES[:2])
    with closing(database.open_database(path)) as opened, closing(database.open_database()) as new:
        assert _schema(opened) == _schema(new)
        assert opened.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
        assert opened.execute("SELECT count(*) FROM jobs").fetchone() == (1,)


def test_every_column_is_described() -> None:
    """The reference has each table and column of the schema, in its order."""
    with closing(database.open_database()) as new:
        tables = [name for (name,) in new.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {name: [row[1] for row in new.execute(f"PRAGMA table_info({name})")] for name in tables}
    assert found == {name: list(columns) for name, (_, columns) in DESCRIPTIONS.items()}


def _other(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE mine (id INTEGER)")


def _newer(path: Path) -> None:
    with closing(database.open_database(path)) as newer:
        newer.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda path: path.write_bytes(b"not a database" * 100), "not a database"),
        (_other, "another program made it"),
        (_newer, "a newer version"),
    ],
    ids=["no-database", "other", "newer"],
)
def test_another_file_is_refused(tmp_path: Path, make: object, what: str) -> None:
    """A file that is no database of records, or a newer one, stays as it is."""
    path = tmp_path / "file"
    make(path)  # type: ignore[operator]
    before = path.read_bytes()
    with pytest.raises(Refused, match=what):
        database.build(EXAMPLES, path)
    assert path.read_bytes() == before


def test_a_build_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another program holds the file, the rows of the former build stay."""
    monkeypatch.setattr(database, "_PATIENCE", 0)
    path = tmp_path / "metrics.sqlite"
    database.build(EXAMPLES, path).close()
    with closing(sqlite3.connect(path)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(Refused, match="cannot be the database of records"):
            database.build((), path)
        holder.rollback()
    with closing(database.open_database(path)) as opened:
        assert opened.execute("SELECT count(*) FROM jobs").fetchone() == (1,)


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    """What cannot be opened is an error with the next step."""
    with pytest.raises(Refused, match="cannot be the database of records"):
        database.build((), tmp_path)
