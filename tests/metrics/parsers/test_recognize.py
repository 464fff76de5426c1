"""A file is recognized by what it has, and each format is counted."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.support.metric_records import COMMIT, EXAMPLES, MOMENT

from unmoor.metrics.parsers.model import Measured, NoCommit
from unmoor.metrics.parsers.recognize import parse_file
from unmoor.metrics.records import BenchmarkRecord, CoverageRecord, FindingsRecord, Record, TestsRecord
from unmoor.metrics.store.lines import encode

OTHER = "b" * 40
# As pytest-benchmark 5.2 writes it, without most of the processor.
BENCHMARK: dict[str, Any] = {
    "machine_info": {
        "node": "vm-4711",
        "machine": "x86_64",
        "python_implementation": "CPython",
        "python_version": "3.14.1",
        "system": "Linux",
        "cpu": {"brand_raw": "A Processor", "flags": ["sse"]},
    },
    "commit_info": {"id": OTHER, "time": "2026-11-29T18:50:52+00:00", "dirty": False, "branch": "main"},
    "benchmarks": [
        {
            "group": None,
            "name": "test_sum",
            "fullname": "bench/test_x.py::test_sum",
            "params": None,
            "options": {"min_rounds": 5},
            "stats": {"min": 1.0, "median": 0.25, "rounds": 30, "data": [0.25] * 1000, "ops": 4.0},
        }
    ],
    "datetime": "2026-11-29T18:51:05.5+00:00",
    "version": "5.2.0",
}
# As pytest 9 writes it.
JUNIT = (
    '<?xml version="1.0" encoding="utf-8"?><testsuites name="pytest tests"><testsuite name="{name}" errors="1"'
    ' failures="1" skipped="2" tests="5" time="0.661" timestamp="2026-11-29T18:49:56.462875+00:00">'
    '<testcase classname="a" name="a" time="0.1"/>'
    '<testcase classname="a" name="b" time="0.1"><skipped type="pytest.skip" message="no"/></testcase>'
    '<testcase classname="a" name="c" time="0.1"><failure message="assert 0">def</failure></testcase>'
    '<testcase classname="a" name="d" time="0.1"><error message="ValueError"/><system-out>x</system-out></testcase>'
    '<testcase classname="a" name="e" time="0.1"><skipped type="pytest.xfail"/></testcase>'
    "</testsuite></testsuites>"
)
COVERAGE = (
    '<?xml version="1.0" ?><!DOCTYPE coverage SYSTEM "http://localhost/x.dtd"><coverage version="7.0"'
    ' timestamp="1764000000000" lines-valid="10" lines-covered="9" line-rate="0.9"{branches}><packages/></coverage>'
)


def sarif(*results: dict[str, Any], rules: tuple[dict[str, Any], ...] = (), **run: Any) -> dict[str, Any]:
    """A log of one tool."""
    driver = {"name": "ruff", "rules": list(rules)}
    return {
        "$schema": "https://localhost/sarif.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": list(results), **run}],
    }


def report(**changes: Any) -> dict[str, Any]:
    """A report of our own comparison."""
    benchmark = {"name": "start-up", "unit": "s", "verdict": "same", "base": 0.2, "head": 0.21, "rounds": 30}
    side = {"commit": OTHER, "version": "1.0"}
    values = {
        "format": 1,
        "tool": "1.0",
        "at": "2026-11-29T12:00:00Z",
        "against": "main",
        "base": {"commit": "c" * 40, "version": "0.9"},
        "head": side,
        "threshold": 0.05,
        "seconds": 60.0,
        "machine": "A Processor",
        "python": "3.14.1",
        "benchmarks": [benchmark, {**benchmark, "name": "gone", "verdict": "gone", "head": None}],
    }
    return values | changes


def parse(tmp_path: Path, content: str | bytes | dict[str, Any], **known: Any) -> tuple[Record, ...]:
    """Read a file with this content."""
    path = tmp_path / "unit-tests"
    data = json.dumps(content) if isinstance(content, dict) else content
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    measured = Measured(
        stem=path.stem,
        now=MOMENT,
        commit=known.get("commit", COMMIT),
        named="named" in known,
        imports="imports" in known,
    )
    return parse_file(path, measured).records


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"], ids=["plain", "with-bom"])
def test_benchmarks_of_pytest(tmp_path: Path, bom: bytes) -> None:
    """The median of each is kept, with the file's own commit, and with the processor instead of the machine's name."""
    expected = BenchmarkRecord(
        commit=OTHER,
        at=datetime(2026, 11, 29, 18, 51, 5, tzinfo=UTC),
        name="bench/test_x.py::test_sum",
        unit="s",
        value=0.25,
        rounds=30,
        machine="A Processor, Linux, CPython 3.14",
    )
    assert parse(tmp_path, bom + json.dumps(BENCHMARK).encode()) == (expected,)
    (named,) = parse(tmp_path, BENCHMARK, named=True)
    assert isinstance(named, BenchmarkRecord)
    assert named.commit == COMMIT


@pytest.mark.parametrize(("name", "suite"), [("unit", "unit"), ("pytest", "unit-tests"), ("", "unit-tests")])
def test_results_of_tests(tmp_path: Path, name: str, suite: str) -> None:
    """Errors count as failed, and a suite without a name of its own has that of the file."""
    expected = TestsRecord(
        commit=COMMIT,
        at=datetime(2026, 11, 29, 18, 49, 56, tzinfo=UTC),
        suite=suite,
        passed=1,
        failed=2,
        skipped=2,
        seconds=0.661,
    )
    assert parse(tmp_path, JUNIT.format(name=name)) == (expected,)


def test_results_of_other_runners(tmp_path: Path) -> None:
    """Suites can be nested or without a time, and times have thousands."""
    text = (
        '<testsuites name="all"><testsuite name="a"><testsuite name="b"><testcase time="1,000.5"/></testsuite>'
        '</testsuite><testsuite name="c"><testcase/><testcase><skipped/><failure/></testcase></testsuite></testsuites>'
    )
    (record,) = parse(tmp_path, text)
    assert isinstance(record, TestsRecord)
    assert (record.suite, record.passed, record.failed, record.skipped) == ("all", 2, 1, 0)
    assert (record.seconds, record.at) == (1000.5, MOMENT)


@pytest.mark.parametrize("branches", [True, False], ids=["branches", "lines"])
def test_coverage(tmp_path: Path, *, branches: bool) -> None:
    """Branches that were not measured are unknown, not 0."""
    more = ' branches-valid="4" branches-covered="3"' if branches else ' branches-valid="0" branches-covered="0"'
    (record,) = parse(tmp_path, COVERAGE.format(branches=more))
    assert record == CoverageRecord(
        commit=COMMIT,
        at=datetime(2025, 11, 24, 16, 0, tzinfo=UTC),
        covered=9,
        lines=10,
        branches_covered=3 if branches else None,
        branches=4 if branches else None,
    )


def test_findings_by_their_level(tmp_path: Path) -> None:
    """A level is the result's own, its rule's, or a warning; suppressed and passed results do not count."""
    rules = ({"id": "R1", "defaultConfiguration": {"level": "error"}}, {"id": "R2"})
    results = (
        {"level": "note"},
        {"ruleId": "R1"},
        {"ruleIndex": 0},
        {"ruleId": "R2"},
        {"rule": {"id": "R1"}},
        {"ruleId": "R1", "level": "none"},
        {"ruleId": "R1", "kind": "pass"},
        {"ruleId": "R1", "suppressions": [{"kind": "inSource"}]},
        {"ruleId": "R1", "suppressions": [{"kind": "external", "status": "rejected"}]},
        {"ruleId": "R1", "baselineState": "absent"},
    )
    invocation = {"executionSuccessful": True, "endTimeUtc": "2026-11-29T13:00:00.123Z"}
    (record,) = parse(tmp_path, sarif(*results, rules=rules, invocations=[invocation]))
    assert record == FindingsRecord(
        commit=COMMIT,
        at=datetime(2026, 11, 29, 13, 0, tzinfo=UTC),
        tool="ruff",
        errors=4,
        warnings=1,
        notes=2,
    )


def test_runs_of_one_tool_are_added_up(tmp_path: Path) -> None:
    """A log can have several runs; a tool without findings has a record as well."""
    log = sarif({"level": "error"})
    log["runs"] += [*sarif({"level": "error"})["runs"], {"tool": {"driver": {"name": "other"}}, "results": []}]
    first, second = parse(tmp_path, log)
    assert isinstance(first, FindingsRecord)
    assert isinstance(second, FindingsRecord)
    assert (first.tool, first.errors, second.tool, second.errors) == ("ruff", 2, "other", 0)


def test_our_own_files(tmp_path: Path) -> None:
    """A comparison has the values of its head, and lines of records are taken as they are."""
    (record,) = parse(tmp_path, report())
    assert record == BenchmarkRecord(
        commit=OTHER, at=MOMENT, name="start-up", unit="s", value=0.21, rounds=30, machine="A Processor, 3.14.1"
    )
    assert parse(tmp_path, b"\n".join(map(encode, EXAMPLES)), commit="", imports=True) == EXAMPLES


_UNFINISHED = {"executionSuccessful": False}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", r"it is empty"),
        (b" \n\t", r"only blanks"),
        (b"\x00\x01", r"neither XML nor JSON"),
        (b"# Title", r"neither XML nor JSON"),
        (b"<html><body/></html>", r"whose root is <html>"),
        (b"<!-- nothing -->", r"without an element"),
        (JUNIT[:300], r"not XML"),
        ("<testsuites/>", r"no test"),
        ('<!DOCTYPE a [<!ENTITY x "y">]><testsuite><testcase/></testsuite>', r"entity"),
        ("<testsuite>" * 200, r"nested too deeply"),
        ("<coverage/>", r"no report of coverage"),
        (COVERAGE.format(branches="").replace('"9"', '"11"'), r"11 of 10 lines"),
        (COVERAGE.format(branches="").replace('"9"', '"0"').replace('"10"', '"0"'), r"no line"),
        ({}, r"no keys"),
        ({"meta": {}, "totals": {}}, r"has meta, totals at its top"),
        ({"a\x1b[2J" * 30: 1}, r"^unmoor does not know this JSON, which has a( a)*…? ?…? at its top"),
        (b"[1, 2]", r"no JSON that unmoor knows"),
        (b"{" + b'"a":{' * 5000, r"no JSON that unmoor knows"),
        (BENCHMARK | {"benchmarks": []}, r"no benchmark"),
        (BENCHMARK | {"benchmarks": BENCHMARK["benchmarks"] * 2}, r"two benchmarks of the name"),
        (BENCHMARK | {"benchmarks": [{"name": "a", "stats": {"median": -1.0}}]}, r"median of a is no time"),
        (BENCHMARK | {"benchmarks": [{"name": "a", "stats": {"median": "1"}}]}, r"Expected `float`"),
        (json.dumps(BENCHMARK)[:-9], r"no JSON"),
        (sarif() | {"version": "1.0.0"}, r"SARIF 1.0.0"),
        (sarif() | {"runs": []}, r"no run"),
        (sarif({"level": "fatal"}), r"Invalid enum value"),
        (sarif(invocations=[_UNFINISHED]), r"ruff did not finish"),
        ({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "x"}}, "results": None}]}, r"x did not finish"),
        (report(benchmarks=[]), r"no value of the head"),
        (report(format=2), r"Invalid enum value|Expected"),
        (encode(EXAMPLES[0]), r"line 1 is no record to keep: one of runs is taken only with --import"),
        (encode(EXAMPLES[3]) + b'{"kind":"run"}', r"line 2 is no record"),
        (b'{"kind":"other"}', r"line 1 is no record"),
        (encode(EXAMPLES[3]) + b'{"kind":"' + b"x" * 30_000, r"line 2 is no record to keep: too long"),
    ],
    ids=[
        "empty",
        "blanks",
        "binary",
        "text",
        "html",
        "comment",
        "half-junit",
        "no-test",
        "entity",
        "deep",
        "other-coverage",
        "too-much",
        "no-line",
        "no-keys",
        "other-json",
        "escape",
        "list",
        "deep-json",
        "no-benchmark",
        "same-name",
        "negative",
        "text-median",
        "half-json",
        "old-sarif",
        "no-run",
        "level",
        "unfinished",
        "no-results",
        "no-head",
        "other-format",
        "a-run",
        "half-line",
        "other-kind",
        "long-line",
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, content: str | bytes | dict[str, Any], why: str) -> None:
    """Every other file is an error that says what is wrong, in a line of printable text."""
    with pytest.raises(ValueError, match=why) as caught:
        parse(tmp_path, content)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "content",
    [JUNIT, COVERAGE.format(branches=""), sarif(), BENCHMARK | {"commit_info": {"id": None}}],
    ids=["junit", "coverage", "sarif", "benchmark"],
)
def test_a_figure_needs_a_commit(tmp_path: Path, content: str | dict[str, Any]) -> None:
    """Without a commit from anywhere there is no record."""
    with pytest.raises(NoCommit):
        parse(tmp_path, content, commit="")


def test_a_name_from_a_file_is_cleaned(tmp_path: Path) -> None:
    """Neither escapes nor endless names reach a record."""
    stats = {"median": 1.0, "rounds": 1}
    changed = BENCHMARK | {"benchmarks": [{"name": "a\x1b[31m\nb" + "x" * 900, "stats": stats}]}
    (record,) = parse(tmp_path, changed)
    assert isinstance(record, BenchmarkRecord)
    assert record.name.startswith("a bx")
    assert encode(record)
