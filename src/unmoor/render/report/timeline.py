"""When each stage began and how it ended: noted while a run goes on, or read from the journal of an earlier run.

A journal is evidence, never the truth: anybody may have written the file. What is read from it is shown as text, and
says whose record it is. Lines that are none of a journal are counted, not shown.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from unmoor.core.events import Event, Report, RunStarted, StageReport, StageStarted
from unmoor.render import words
from unmoor.render.document import state
from unmoor.render.report.model import Timeline, TimelineStage
from unmoor.util.decode import decode_json
from unmoor.util.text import clean, count_of

MOST_BYTES: Final = 20_000_000
"""The most bytes of a journal that are read."""
_MOST_LINES: Final = 50_000
_MOST_STAGES: Final = 200
_LONGEST: Final = 500
_LATEST: Final = 2.0**36  # seconds: no clock is past the year 4147
_BEGAN, _ENDED = "begins", "ended"


@dataclass
class StageTimes:
    """A listener that notes when the run and each of its stages began."""

    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    _started: float | None = field(default=None, init=False)
    _begun: float = field(default=0.0, init=False)
    _stages: dict[str, float] = field(default_factory=dict, init=False)

    def __call__(self, event: Event) -> None:
        """Note a beginning. A stage that looked and then had to wait begins when it can go on."""
        match event:
            case RunStarted():
                self._started, self._begun = self.now(), self.clock()
            case StageStarted():
                self._stages[event.stage] = self.clock() - self._begun
            case _:
                pass

    def timeline(self, report: Report) -> Timeline:
        """The timeline of the run that ended with this report."""
        return Timeline(
            started=self._started,
            seconds=report.seconds,
            stages=tuple(self._stage(each, report.seconds) for each in report.stages),
            source="this run",
        )

    def _stage(self, each: StageReport, whole: float) -> TimelineStage:
        begin = self._stages.get(each.info.name)
        # A stage that was stopped with the run did not say how long it took.
        stopped = each.outcome is not None and not each.seconds and begin is not None
        return TimelineStage(
            name=each.info.name,
            outcome=state(each.outcome),
            begin=begin,
            seconds=max(0.0, whole - begin) if stopped and begin is not None else each.seconds,
            reach=each.info.reach.name.lower(),
            advisory=each.info.advisory,
            text=words.text(each.outcome),
        )


class _Line(msgspec.Struct, frozen=True, kw_only=True):
    """What is read of a line of a journal. The rest of it is not looked at."""

    at: float
    event: str
    stage: str = ""
    outcome: str = ""
    why: str = ""
    plan: str = ""
    error: str = ""


class JournalTimeline(msgspec.Struct, frozen=True, kw_only=True):
    """What a journal says: the timeline of the run that did most, and what of the journal could not be read."""

    timeline: Timeline | None
    unread: str = ""


def read_journal(data: bytes) -> JournalTimeline:
    """Read the timeline of a release: that of the last run that made something, else that of the last run."""
    if len(data) > MOST_BYTES:
        return JournalTimeline(timeline=None, unread=f"the journal has more than {MOST_BYTES:,} bytes")
    raw = data.splitlines()
    lines, bad = _decoded(raw[:_MOST_LINES])
    unread = f"{count_of(bad, 'line')} of the journal cannot be read" if bad else ""
    if len(raw) > _MOST_LINES:
        unread = f"the journal has more than {_MOST_LINES:,} lines"
    runs = _runs(lines)
    if not runs:
        return JournalTimeline(timeline=None, unread=unread or "the journal names no run")
    number = next((at for at in reversed(range(len(runs))) if _did_something(runs[at])), len(runs) - 1)
    which = f", run {number + 1} of {len(runs)}" if len(runs) > 1 else ""
    return JournalTimeline(timeline=_timeline(runs[number], f"the journal of this machine{which}"), unread=unread)


def _decoded(raw: Iterable[bytes]) -> tuple[list[_Line], int]:
    lines, bad = [], 0
    for each in raw:
        if not each.strip():
            continue
        try:
            line = decode_json(each, _Line)
        except ValueError:
            bad += 1
            continue
        if 0 <= line.at < _LATEST:
            lines.append(line)
        else:
            bad += 1
    return lines, bad


def _runs(lines: Iterable[_Line]) -> list[list[_Line]]:
    """The lines of each run, which begin with its own."""
    runs: list[list[_Line]] = []
    for line in lines:
        if line.event == "run begins":
            runs.append([line])
        elif runs:
            runs[-1].append(line)
    return runs


def _did_something(run: Sequence[_Line]) -> bool:
    return any(line.event == _ENDED and line.outcome in {"made", "failed"} for line in run)


def _timeline(run: Sequence[_Line], source: str) -> Timeline:
    started = run[0].at
    begun: dict[str, float] = {}
    ended: dict[str, _Line] = {}
    order: dict[str, None] = {}
    for line in run:
        if not line.stage or line.event not in {_BEGAN, _ENDED}:
            continue
        if line.stage not in order and len(order) >= _MOST_STAGES:
            continue
        order[line.stage] = None
        if line.event == _BEGAN:
            begun[line.stage] = line.at
        else:
            ended[line.stage] = line
    stages = tuple(_stage(name, started, begun.get(name), ended.get(name)) for name in order)
    return Timeline(started=started, seconds=max(0.0, run[-1].at - started), stages=stages, source=source)


def _stage(name: str, started: float, begun: float | None, end: _Line | None) -> TimelineStage:
    """A stage by its lines. A clock that was set back makes no time negative."""
    text = "" if end is None else end.why or end.plan or end.error
    return TimelineStage(
        name=clean(name[:_LONGEST], 100),
        outcome="unfinished" if end is None else clean(end.outcome[:_LONGEST], 40) or "unfinished",
        begin=None if begun is None else max(0.0, begun - started),
        seconds=0.0 if end is None or begun is None else max(0.0, end.at - begun),
        text=clean(text[: 4 * _LONGEST], _LONGEST),
    )
