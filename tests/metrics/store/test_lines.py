"""The files of a store: which there are, what their lines say, and what is added to them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.support.metric_records import COMMIT, EXAMPLES, LATER, MOMENT

from unmoor.errors import Refused
from unmoor.metrics.records import (
    BenchmarkRecord,
    CoverageRecord,
    FetchedRecord,
    FindingsRecord,
    Record,
    ReleasedRecord,
)
from unmoor.metrics.store import lines
from unmoor.metrics.store.lines import RecordFile
from unmoor.util.values import replace

FILE = RecordFile(folder="coverage", month="2026-11")
RELEASE = ReleasedRecord(id=1, tag="v1", at=MOMENT, prerelease=False)


def coverage(covered: int, at: datetime = MOMENT, commit: str = COMMIT) -> CoverageRecord:
    """A record of some covered lines."""
    return CoverageRecord(commit=commit, at=at, covered=covered, lines=100)


def test_files_are_listed_by_age() -> None:
    """Parts of a month follow each other by number, and what is not ours is no file of records."""
    paths = ["runs/2026-11.10.jsonl", "runs/2026-11.jsonl", "runs/2025-12.jsonl", "runs/2026-11.2.jsonl"]
    listed = lines.list_files([*paths, "README.md", "other/2026-11.jsonl", "site/runs/x"], "here")
    assert [each.path for each in listed] == [paths[2], paths[1], paths[3], paths[0]]


@pytest.mark.parametrize(
    "path", ["runs/2026-13.jsonl", "runs/2026-11.jsonl~", "runs/x/2026-11.jsonl", "runs/2026-11.0.jsonl"]
)
def test_another_file_among_records_is_refused(path: str) -> None:
    """A file that would be left out is named."""
    with pytest.raises(Refused, match=r"is no file of records"):
        lines.list_files([path], "here")


@pytest.mark.parametrize(
    ("broken", "line"),
    [
        (b'{"kind":"coverage","commit":"aaa', 2),
        (b"<<<<<<< HEAD", 2),
        (b'{"kind":"release","id":1,"tag":"v1","at":"2026-01-01T00:00:00Z","prerelease":false}', 2),
        (b'{"kind":"coverage"}\xff', 2),
        (b"\n\n" + b"[" * 500, 4),
        (b'{"kind":"coverage","x":"' + b"y" * 30_000 + b'"}', 2),
    ],
    ids=["half", "conflict", "other-kind", "no-utf8", "deep", "long"],
)
def test_a_broken_line_is_named(broken: bytes, line: int) -> None:
    """The message has the file and the line, and no other line is read."""
    data = lines.encode(coverage(1)) + broken + b"\n" + lines.encode(coverage(2))
    with pytest.raises(Refused, match=rf"coverage/2026-11\.jsonl:{line}: "):
        lines.read(data, FILE, "here")


def test_many_broken_lines_are_counted() -> None:
    """Three are named, the others counted."""
    with pytest.raises(Refused, match=r"and 7 more lines"):
        lines.read(b"x\n" * 10, FILE, "here")


def test_a_file_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file beyond the limit is not read."""
    monkeypatch.setattr(lines, "LARGEST_FILE", 10)
    with pytest.raises(Refused, match=r"has more than"):
        lines.read(b"\n" * 11, FILE, "here")


def test_records_are_added_in_their_months() -> None:
    """What is there already adds nothing, what changed adds a line, and the old line stays."""
    before = lines.encode(coverage(1)) + lines.encode(coverage(2, commit="b" * 40))[:-1]  # without its line end
    added = lines.append(
        [coverage(1), coverage(3, commit="b" * 40), RELEASE, RELEASE], [FILE], lambda _file: before, "here"
    )
    assert (added.new, added.changed, added.same) == (1, 1, 1)
    assert added.files["coverage/2026-11.jsonl"] == before + b"\n" + lines.encode(coverage(3, commit="b" * 40))
    assert added.files["releases/2026-11.jsonl"] == lines.encode(RELEASE)
    assert lines.latest(lines.read(added.files[FILE.path], FILE, "here")) == (
        coverage(1),
        coverage(3, commit="b" * 40),
    )


def test_the_same_figures_later_are_no_change() -> None:
    """Only when a commit was looked at again differs; a benchmark that ran again is another measurement."""
    findings = FindingsRecord(commit=COMMIT, at=MOMENT, tool="ruff", errors=1, warnings=0, notes=0)
    benchmark = BenchmarkRecord(commit=COMMIT, at=MOMENT, name="a", unit="s", value=1.0)
    first = lines.append([findings, benchmark], [], lambda _file: b"", "here")
    listed = lines.list_files(first.files, "here")
    again: list[Record] = [replace(findings, at=LATER), replace(benchmark, at=LATER)]
    second = lines.append(again, listed, lambda file: first.files[file.path], "here")
    assert (second.new, second.changed, second.same) == (1, 0, 1)


def test_a_full_file_goes_on_in_the_next_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the new part is written, and a record of the first part is still known."""
    monkeypatch.setattr(lines, "LARGEST_PART", 200)
    records: list[Record] = [replace(RELEASE, id=number) for number in range(5)]
    files: dict[str, bytes] = {}
    for record in [*records, *records]:
        found = lines.list_files(files, "here")
        added = lines.append([record], found, lambda file: files[file.path], "here")  # noqa: B023 - called at once
        assert len(added.files) <= 1
        files |= added.files
    assert list(files) == ["releases/2026-11.jsonl", "releases/2026-11.2.jsonl", "releases/2026-11.3.jsonl"]
    assert sum(data.count(b"\n") for data in files.values()) == 5


def test_a_month_is_one_of_utc() -> None:
    """The file of a record does not depend on the zone of its time."""
    at = datetime.fromisoformat("2026-12-01T00:30:00+01:00")
    assert lines.file_of(coverage(1, at)).month == "2026-11"
    assert lines.file_of(coverage(1, at + timedelta(hours=1))).month == "2026-12"
    assert lines.file_of(coverage(1, datetime(2026, 1, 1, tzinfo=UTC))).month == "2026-01"


@pytest.mark.parametrize(
    "record", [each for each in EXAMPLES if not isinstance(each, FetchedRecord)], ids=lambda each: each.folder
)
def test_a_line_that_could_not_be_read_is_not_written(record: Record) -> None:
    """Text with an escape sequence, or of no end, never gets into a file."""
    name = next(name for name in ("name", "tag", "title", "suite", "tool", "commit") if hasattr(record, name))
    for text in ("\x1b[2J", "x" * 1000):
        with pytest.raises(ValueError, match=r"Expected"):
            lines.encode(replace(record, **{name: text}))  # type: ignore[arg-type]
