"""The schedule of a run: what may start, and when.

It goes by the promises: stages whose inputs are there run at the same time, in threads, since the
work is other programs and the network. A final stage starts only when nothing that can still fail
is running or pending outside what follows from it.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, assert_never

from unmoor.core.events import (
    Listener,
    Report,
    RunEnded,
    RunStarted,
    StageEnded,
    StageInfo,
    StageReport,
    StageSaid,
    StageWarned,
)
from unmoor.core.journal import Journal, NoJournal
from unmoor.core.middleware import Deferred, Ended, Task, compose, internal_error
from unmoor.core.outcome import Failed, Found, Made, Outcome, Planned, Skipped
from unmoor.core.pipeline import AnyStage, Pipeline
from unmoor.core.stage import Reach, StageContext
from unmoor.errors import Interrupted, TimedOut, UnmoorError, from_os_error
from unmoor.util.py311_compat import patch_old_python

TICK = 0.5  # seconds between two looks at the deadline
PATIENCE = 5.0  # seconds that stages get to stop


@dataclass(kw_only=True)
class Run:
    """One run of a pipeline.

    ``until`` names the stages that are wanted: then only what they need is asked for, and nothing
    that the world already holds is made again for their sake. ``gate`` is passed before anything is
    made or looked for beyond plain reading, and may be passed again; ``check`` raises `Interrupted` once
    the user wants to stop, ``stop`` ends every program that a stage is running; ``deadline`` is in
    seconds for the whole run.
    """

    pipeline: Pipeline
    world: str
    rehearsal: bool
    limit: Reach
    listeners: tuple[Listener, ...] = ()
    journal: Journal = field(default_factory=NoJournal)
    until: tuple[str, ...] = ()
    deadline: float = 3600.0
    gate: Callable[[], None] = lambda: None
    check: Callable[[], None] = lambda: None
    stop: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._ended: dict[str, Outcome] = {}
        self._seconds: dict[str, float] = {}
        self._warnings: list[StageWarned] = []
        self._running: set[str] = set()
        self._demanded: set[str] = set()
        for name in self.until or self.pipeline.names:
            self._demand(name)
        self._events: queue.SimpleQueue[tuple[str, Ended]] = queue.SimpleQueue()
        self._step = compose(limit=self.limit, journal=self.journal, tell=self._tell, gate=self.gate)

    def execute(self) -> Report:
        """Run to the end and report. Never raises for a stage's failure."""
        patch_old_python()
        begun = time.monotonic()
        entries = tuple(StageInfo(name=s.name, reach=s.reach, advisory=s.advisory) for s in self.pipeline)
        self.journal.write({"event": "run begins", "world": self.world, "ceiling": self.limit.name.lower()})
        self._tell(RunStarted(world=self.world, rehearsal=self.rehearsal, ceiling=self.limit, stages=entries))
        try:
            while self._start_what_can() or self._running:
                self._take_one(begun + self.deadline)
        except KeyboardInterrupt:
            self._halt(interrupted())
        except (Interrupted, TimedOut) as error:
            self._halt(error)
        report = self._report(entries, time.monotonic() - begun)
        self.journal.write({"event": "run ended", "failed": [n for n, o in self._ended.items() if type(o) is Failed]})
        self._tell(RunEnded(report=report))
        return report

    def _tell(self, event: Any) -> None:
        with self._lock:
            if isinstance(event, StageWarned):
                self._warnings.append(event)
            if isinstance(event, StageEnded):
                self._seconds[event.stage] = event.seconds
            for listener in self.listeners:
                listener(event)

    def _demand(self, name: str) -> None:
        """Ask for a stage, and for the inputs it needs even to look."""
        self._demanded.add(name)
        for output in self.pipeline[name].inputs:
            self._demand(output.by)

    def _start_what_can(self) -> bool:
        started = False
        for stage in self.pipeline:
            if stage.name not in self._demanded or stage.name in self._running or stage.name in self._ended:
                continue
            task = self._task(stage)
            if task is not None:
                self._running.add(stage.name)
                threading.Thread(target=self._work, args=(task,), name=stage.name, daemon=True).start()
                started = True
        return started

    def _work(self, task: Task) -> None:
        try:
            ended = self._step(task)
        except BaseException as error:  # noqa: BLE001 - a listener or the journal broke: the run must still end
            told = error if isinstance(error, Exception) else RuntimeError(repr(error))
            ended = Failed(from_os_error(told) or internal_error(told))
        self._events.put((task.stage.name, ended))

    def _take_one(self, deadline: float) -> None:
        while True:
            self.check()
            if time.monotonic() > deadline:
                raise deadline_passed(self.deadline, sorted(self._running))
            try:
                name, ended = self._events.get(timeout=TICK)
            except queue.Empty:
                continue
            break
        self._running.discard(name)
        if isinstance(ended, Deferred):
            for output in self.pipeline[name].needs:
                self._demand(output.by)
        else:
            self._ended[name] = ended

    def _task(self, stage: AnyStage) -> Task | None:
        """What this stage could do now; ``None`` where it has to wait."""
        if not all(output.by in self._ended for output in stage.inputs):
            return None
        context = StageContext(
            self._products(), say=self._voice(stage, StageSaid), warn=self._voice(stage, StageWarned)
        )
        missing = self._missing([output.by for output in stage.inputs], stage)
        if missing is not None:
            return Task(stage=stage, context=context, missing_input=missing)
        waiting = [output.by for output in stage.needs if output.by not in self._ended]
        if any(name not in self._demanded for name in waiting):
            return Task(stage=stage, context=context, early=True)
        if waiting or not self._gate_is_open(stage):
            return None
        blocked = self._missing([output.by for output in stage.needs], stage) or self._gate_is_shut(stage)
        return Task(stage=stage, context=context, blocked=blocked)

    def _products(self) -> dict[str, object]:
        return {name: o.product for name, o in self._ended.items() if isinstance(o, Made | Found)}

    def _voice(self, stage: AnyStage, kind: type[StageSaid | StageWarned]) -> Callable[[str], None]:
        return lambda text: self._tell(kind(stage=stage.name, text=text))

    def _missing(self, names: list[str], stage: AnyStage) -> Outcome | None:
        """Say why a stage cannot go on, if something it needs ended without a product."""
        for name in names:
            match self._ended[name]:
                case Made() | Found():
                    continue
                case Planned():
                    return Planned(stage.plan())
                case Failed():
                    return Skipped(f"{name} failed")
                case Skipped():
                    return Skipped(f"{name} was not reached")
                case outcome:
                    assert_never(outcome)
        return None

    def _outside(self, stage: AnyStage) -> list[AnyStage]:
        """Every wanted stage that does not follow from this one."""
        return [
            each
            for each in self.pipeline
            if each.name in self._demanded and each.name != stage.name and stage.name not in self.pipeline.before(each)
        ]

    def _gate_is_open(self, stage: AnyStage) -> bool:
        """Whether nothing that can still fail is running or pending outside what follows from it."""
        return stage.reach < Reach.FINAL or all(each.name in self._ended for each in self._outside(stage))

    def _gate_is_shut(self, stage: AnyStage) -> Outcome | None:
        if stage.reach < Reach.FINAL:
            return None
        return self._missing([each.name for each in self._outside(stage) if not each.advisory], stage)

    def _halt(self, error: UnmoorError) -> None:
        """Stop everything that runs; what it leaves behind is found by the next run."""
        self.stop()
        patience = time.monotonic() + PATIENCE
        while self._running and time.monotonic() < patience:
            try:
                name, ended = self._events.get(timeout=TICK)
            except queue.Empty:
                continue
            self._running.discard(name)
            self._ended[name] = ended if not isinstance(ended, Deferred) else Skipped("stopped")
        for name in sorted(self._running):
            self._ended[name] = Failed(error)
        for name in self._demanded - set(self._ended):
            self._ended[name] = Skipped("stopped")
        if not any(isinstance(outcome, Failed) for outcome in self._ended.values()):
            self._ended[next(n for n in self.pipeline.names if n in self._demanded)] = Failed(error)

    def _report(self, entries: tuple[StageInfo, ...], seconds: float) -> Report:
        stages = tuple(
            StageReport(
                entry=entry,
                outcome=self._ended.get(entry.name),
                seconds=self._seconds.get(entry.name, 0.0),
                plan=self.pipeline[entry.name].plan(),
            )
            for entry in entries
        )
        return Report(stages=stages, warnings=tuple(self._warnings), seconds=seconds)


def interrupted() -> Interrupted:
    """Say that the user stopped the run."""
    return Interrupted("stopped before the end", next_step="run the same command again: it goes on from what is there")


def deadline_passed(deadline: float, running: list[str]) -> TimedOut:
    """Say that the whole run took too long."""
    return TimedOut(
        f"the run took longer than its deadline of {deadline:.0f} s (still busy: {', '.join(running)})",
        next_step="run the same command again: it goes on from what is there; or raise `deadline`",
    )
