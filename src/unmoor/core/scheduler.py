"""Decides which stage of a run starts, and when.

Stages whose inputs are there run at the same time, in threads: the work is other programs and the
network. A final stage starts only when nothing that can still fail is running or pending, except for
what follows from it. A stage that runs last waits for all others, however they end.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import assert_never

from unmoor import advice
from unmoor.core.events import (
    Event,
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
from unmoor.core.journal import Journal, NoJournal, RunJournal
from unmoor.core.middleware import Deferred, StepResult, Task, compose, internal_error
from unmoor.core.outcome import Failed, Found, Made, Outcome, Planned, Skipped
from unmoor.core.pipeline import AnyStage, Pipeline
from unmoor.core.stage import Reach, StageContext
from unmoor.errors import Interrupted, TimedOut, UnmoorError, from_os_error
from unmoor.util.py311_compat import patch_old_python
from unmoor.util.values import replace

TICK = 0.5  # seconds between two checks of the deadline
GRACE = 5.0  # seconds that stages have to stop
_RUN = "run"  # stands for the stage in a warning about the run as a whole


@dataclass(kw_only=True)
class Run:
    """One run of a pipeline.

    ``until`` names the stages to run to: then only they and what they need run, and nothing that the
    world already holds is made again for them. ``enter_workspace`` is called before each stage that
    reaches beyond reading, so calling it twice must be harmless; ``lost`` returns the error if it is gone since then.
    ``advise`` gives a stage's error the advice for this kind of run. ``refuse`` returns the error for a stage that may
    look but not make anything in this run, ``None`` for any other.
    ``raise_if_stopped`` raises `Interrupted` once the
    user wants to stop; ``stop_programs`` ends every program that a stage is running. ``deadline`` is in seconds,
    for the whole run.
    """

    pipeline: Pipeline
    world: str
    rehearsal: bool
    ceiling: Reach
    listeners: tuple[Listener, ...] = ()
    journal: Journal = field(default_factory=NoJournal)
    until: tuple[str, ...] = ()
    deadline: float = 3600.0
    enter_workspace: Callable[[], None] = lambda: None
    lost: Callable[[], UnmoorError | None] = lambda: None
    advise: Callable[[UnmoorError], UnmoorError] = lambda error: error
    refuse: Callable[[AnyStage], UnmoorError | None] = lambda _stage: None
    raise_if_stopped: Callable[[], None] = lambda: None
    stop_programs: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._ended: dict[str, Outcome] = {}
        self._seconds: dict[str, float] = {}
        self._warnings: list[StageWarned] = []
        self._running: set[str] = set()
        self._wanted: set[str] = set()
        for name in self.until or self.pipeline.names:
            self._want(name)
        self._journal = RunJournal(self.journal)
        self._deaf: list[Listener] = []
        self._events: queue.SimpleQueue[tuple[str, StepResult]] = queue.SimpleQueue()
        self._step = compose(
            ceiling=self.ceiling,
            journal=self._journal,
            listener=self._tell,
            enter=self.enter_workspace,
            lost=self.lost,
            advise=self.advise,
            refuse=self.refuse,
        )

    def execute(self) -> Report:
        """Run to the end and report. A failing stage raises nothing here: see the report.

        Nor does anything else, once a stage may have run: the report is what a user needs most then.
        """
        patch_old_python()
        begun = time.monotonic()
        infos = tuple(StageInfo(name=s.name, reach=s.reach, advisory=s.advisory) for s in self.pipeline)
        begins = {"event": "run begins", "world": self.world, "ceiling": self.ceiling.name.lower()}
        self._journal.write(begins, self._warn)
        self._tell(RunStarted(world=self.world, rehearsal=self.rehearsal, ceiling=self.ceiling, stages=infos))
        try:
            while self._start_ready_stages() or self._running:
                self._await_one(ends_at=begun + self.deadline)
        except KeyboardInterrupt:
            self._halt(interrupted())
        except (Interrupted, TimedOut) as error:
            self._halt(error)
        except Exception as error:  # noqa: BLE001 - a bug here must not hide what the stages have done
            self._halt(from_os_error(error) or internal_error(error))
        failed = [name for name, outcome in self._ended.items() if isinstance(outcome, Failed)]
        self._journal.write_last({"event": "run ended", "failed": failed}, self._warn)
        report = self._report(infos, time.monotonic() - begun)
        return replace(report, unreported=self._tell_the_end(report))

    def _tell(self, event: Event) -> None:
        """Tell the listeners. One that fails stops the run, but not if something is out that cannot be taken back."""
        with self._lock:
            if isinstance(event, StageWarned):
                self._warnings.append(event)
            if isinstance(event, StageEnded):
                self._seconds[event.stage] = event.seconds
            for listener in self.listeners:
                if listener in self._deaf:
                    continue
                try:
                    listener(event)
                except Exception as error:
                    if not self._journal.no_return:
                        raise
                    self._deaf.append(listener)
                    self._warnings.append(StageWarned(stage=_RUN, text=f"a report of the run broke off: {error}"))

    def _tell_the_end(self, report: Report) -> tuple[UnmoorError, ...]:
        """Tell every listener that the run is over, and return why some could not take it."""
        errors = []
        for listener in self.listeners:
            try:
                listener(RunEnded(report=report))
            except Exception as error:  # noqa: BLE001 - the others, and the user, get the report all the same
                errors.append(from_os_error(error) or internal_error(error))
        return tuple(errors)

    def _warn(self, text: str) -> None:
        """Warn about the run as a whole."""
        self._tell(StageWarned(stage=_RUN, text=text))

    def _want(self, name: str) -> None:
        """Include a stage, and the inputs that it needs even to look."""
        self._wanted.add(name)
        for output in self.pipeline[name].inputs:
            self._want(output.by)

    def _start_ready_stages(self) -> bool:
        started = False
        for stage in self.pipeline:
            if stage.name not in self._wanted or stage.name in self._running or stage.name in self._ended:
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
            cause = error if isinstance(error, Exception) else RuntimeError(repr(error))
            ended = Failed(from_os_error(cause) or internal_error(cause))
        self._events.put((task.stage.name, ended))

    def _await_one(self, *, ends_at: float) -> None:
        """Wait until one running stage ends. Raises `Interrupted` and `TimedOut`."""
        ended = None
        while ended is None:
            self.raise_if_stopped()
            if time.monotonic() > ends_at:
                raise deadline_passed(self.deadline, sorted(self._running))
            ended = self._next_ended()
        name, outcome = ended
        if isinstance(outcome, Deferred):
            for output in self.pipeline[name].needs:
                self._want(output.by)
        else:
            self._ended[name] = outcome

    def _next_ended(self) -> tuple[str, StepResult] | None:
        """Take the next stage that ended off the queue, ``None`` if none did within a tick."""
        try:
            name, outcome = self._events.get(timeout=TICK)
        except queue.Empty:
            return None
        self._running.discard(name)
        return name, outcome

    def _task(self, stage: AnyStage) -> Task | None:
        """What this stage can do now, ``None`` if it has to wait."""
        if not all(output.by in self._ended for output in stage.inputs):
            return None
        context = StageContext(
            self._products(), say=self._messages(stage, StageSaid), warn=self._messages(stage, StageWarned)
        )
        missing_input = self._blocked_by([output.by for output in stage.inputs], stage)
        if missing_input is not None:
            return Task(stage=stage, context=context, missing_input=missing_input)
        waiting = [output.by for output in stage.needs if output.by not in self._ended]
        if any(name not in self._wanted for name in waiting):
            return Task(stage=stage, context=context, find_only=True)
        if waiting or not self._may_start(stage):
            return None
        if stage.runs_last:
            return self._last(stage, context)
        needed = [output.by for output in stage.needs]
        if stage.reach is Reach.FINAL:
            needed += [each.name for each in self._unrelated(stage) if not each.advisory]
        blocked = self._blocked_by(needed, stage)
        return Task(stage=stage, context=context, blocked=blocked)

    def _last(self, stage: AnyStage, context: StageContext) -> Task:
        """What a stage that runs last can do. What failed does not stop it: it gets the errors."""
        planned = any(isinstance(self._ended[output.by], Planned) for output in stage.needs)
        failures = {
            name: outcome.error
            for name, outcome in self._ended.items()
            if isinstance(outcome, Failed) and not self.pipeline[name].advisory
        }
        blocked = Planned(stage.plan()) if planned else None
        return Task(stage=stage, context=replace(context, failures=failures), blocked=blocked)

    def _products(self) -> dict[str, object]:
        return {name: o.product for name, o in self._ended.items() if isinstance(o, Made | Found)}

    def _messages(self, stage: AnyStage, kind: type[StageSaid | StageWarned]) -> Callable[[str], None]:
        return lambda text: self._tell(kind(stage=stage.name, text=text))

    def _blocked_by(self, names: list[str], stage: AnyStage) -> Outcome | None:
        """Why a stage cannot continue, ``None`` if everything it needs has a product."""
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

    def _unrelated(self, stage: AnyStage) -> list[AnyStage]:
        """Every wanted stage that does not follow from this one."""
        return [
            each
            for each in self.pipeline
            if each.name in self._wanted
            and each.name != stage.name
            and stage.name not in self.pipeline.upstream_of(each)
        ]

    def _may_start(self, stage: AnyStage) -> bool:
        """A final stage, or one that runs last, waits until everything that does not follow from it has ended."""
        return (stage.reach < Reach.FINAL and not stage.runs_last) or all(
            each.name in self._ended for each in self._unrelated(stage)
        )

    def _halt(self, error: UnmoorError) -> None:
        """Stop everything that runs. The next run finds what it leaves behind."""
        self.stop_programs()
        give_up_at = time.monotonic() + GRACE
        while self._running and time.monotonic() < give_up_at:
            if ended := self._next_ended():
                name, outcome = ended
                if not isinstance(outcome, Deferred):
                    self._ended[name] = outcome
        for name in sorted(self._running):
            self._ended[name] = Failed(error)
        unfinished = [name for name in self.pipeline.names if name in self._wanted and name not in self._ended]
        self._ended |= dict.fromkeys(unfinished, Skipped("stopped"))
        # The first stage that did not run carries the error, unless one failed. If all ended, nothing was stopped.
        if unfinished and not any(isinstance(outcome, Failed) for outcome in self._ended.values()):
            self._ended[unfinished[0]] = Failed(error)

    def _report(self, infos: tuple[StageInfo, ...], seconds: float) -> Report:
        stages = tuple(
            StageReport(
                info=info,
                outcome=self._ended.get(info.name),
                seconds=self._seconds.get(info.name, 0.0),
                plan=self.pipeline[info.name].plan(),
            )
            for info in infos
        )
        return Report(stages=stages, warnings=tuple(self._warnings), seconds=seconds)


def interrupted() -> Interrupted:
    """The error for a run that the user stopped."""
    return Interrupted("stopped before the end")


def deadline_passed(deadline: float, running: list[str]) -> TimedOut:
    """The error for a run that took too long."""
    return TimedOut(
        f"the run took longer than its deadline of {deadline:.0f} s (still busy: {', '.join(running)})",
        otherwise=advice.RAISE_DEADLINE(),
    )
