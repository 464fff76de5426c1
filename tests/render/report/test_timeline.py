"""When stages began: noted by a listener, and read from journals that anybody may have written."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from unmoor.core.events import Report, RunStarted, StageEnded, StageInfo, StageReport, StageStarted
from unmoor.core.outcome import Failed, Made, Outcome, Skipped
from unmoor.core.stage import Reach
from unmoor.errors import Interrupted
from unmoor.render.report.timeline import MOST_BYTES, StageTimes, read_journal

BEGINS = {"at": 100.0, "event": "run begins", "world": "local", "ceiling": "final"}


def journal(*lines: object) -> bytes:
    """Return the lines of a journal; text stays as it is."""
    return b"".join((each if isinstance(each, bytes) else json.dumps(each).encode()) + b"\n" for each in lines)


def stage(name: str, at: float, event: str = "begins", **more: object) -> dict[str, object]:
    """Return a line about a stage."""
    return {"at": at, "event": event, "stage": name, **more}


def test_a_listener_notes_when_each_stage_began() -> None:
    """A stage that looked and then waited begins when it goes on; one that was stopped took until the end."""
    times: Iterator[float] = iter([10.0, 11.0, 14.0, 15.0])
    noted = StageTimes(clock=lambda: next(times), now=lambda: 1000.0)
    infos = [StageInfo(name=name, reach=Reach.LOCAL, advisory=False) for name in ("a", "b", "c")]
    noted(RunStarted(world="w", rehearsal=True, ceiling=Reach.FINAL, stages=tuple(infos)))
    noted(StageStarted(stage="a"))
    noted(StageStarted(stage="b"))
    noted(StageStarted(stage="a"))
    noted(StageEnded(stage="a", outcome=Made("x"), seconds=2.0))
    outcomes: tuple[Outcome, ...] = (Made("x"), Failed(Interrupted("stopped")), Skipped("stopped"))
    reports = (
        StageReport(info=info, outcome=outcome, seconds=2.0 if info.name == "a" else 0.0, plan="")
        for info, outcome in zip(infos, outcomes, strict=True)
    )
    seen = noted.timeline(Report(stages=tuple(reports), warnings=(), seconds=9.0))
    assert [(each.name, each.outcome, each.begin, each.seconds) for each in seen.stages] == [
        ("a", "made", 5.0, 2.0),
        ("b", "failed", 4.0, 5.0),
        ("c", "skipped", None, 0.0),
    ]
    assert (seen.started, seen.seconds, seen.source) == (1000.0, 9.0, "this run")


def test_a_journal_gives_the_run_that_made_something() -> None:
    """A later run that only found what was there does not replace it. A stage without an end is unfinished."""
    data = journal(
        BEGINS,
        stage("tag", 100.5),
        stage("tag", 101.0, "ended", outcome="made", product={"x": 1}),
        stage("dists", 101.0),
        {"at": 200.0, "event": "run begins"},
        stage("tag", 200.1),
        stage("tag", 200.2, "ended", outcome="found"),
        {"at": 201.0, "event": "run ended", "failed": []},
    )
    read = read_journal(data)
    assert read.timeline is not None
    assert not read.unread
    assert read.timeline.source == "the journal of this machine, run 1 of 2"
    assert [(each.name, each.outcome, each.begin, each.seconds) for each in read.timeline.stages] == [
        ("tag", "made", 0.5, 0.5),
        ("dists", "unfinished", 1.0, 0.0),
    ]


@pytest.mark.parametrize(
    ("data", "unread"),
    [
        pytest.param(b"", "the journal names no run", id="empty"),
        pytest.param(b"\xff\xfe garbage\n[[[[\n", "2 lines of the journal cannot be read", id="garbage"),
        pytest.param(journal({"at": 1e400, "event": "run begins"}), "1 line of the journal cannot be read", id="inf"),
        pytest.param(journal({"at": -1, "event": "run begins"}), "1 line of the journal cannot be read", id="past"),
        pytest.param(b"x" * (MOST_BYTES + 1), "the journal has more than 20,000,000 bytes", id="large"),
        pytest.param(b"[" * 100_000, "1 line of the journal cannot be read", id="deep"),
    ],
)
def test_what_is_no_journal_gives_no_timeline(data: bytes, unread: str) -> None:
    """It says why, and nothing else happens."""
    read = read_journal(data)
    assert (read.timeline, read.unread) == (None, unread)


def test_a_hostile_journal_is_only_text() -> None:
    """Names are made safe and short, there are not endlessly many, and a clock that was set back gives no negative."""
    evil = "\x1b[31m<script>" + "x" * 5000
    lines = [stage(f"{number}{evil}", 50.0) for number in range(300)]
    read = read_journal(
        journal(BEGINS, *lines, stage(f"0{evil}", 40.0, "ended", outcome=evil, error=evil), b"nonsense")
    )
    assert read.timeline is not None
    assert read.unread == "1 line of the journal cannot be read"
    assert len(read.timeline.stages) == 200
    first = read.timeline.stages[0]
    assert (first.begin, first.seconds) == (0.0, 0.0)
    assert "\x1b" not in first.name + first.outcome + first.text
    assert max(map(len, (first.name, first.outcome, first.text))) <= 500
