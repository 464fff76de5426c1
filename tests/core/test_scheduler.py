"""The schedule, on toy stages whose every step is recorded."""

from __future__ import annotations

import errno
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from unmoor.advice import NextStep
from unmoor.core.events import Event, Report, RunEnded, StageEnded, StageStarted, StageWarned
from unmoor.core.journal import FileJournal
from unmoor.core.outcome import Failed, Found, Made, Planned, Skipped
from unmoor.core.pipeline import AnyStage, InvalidPipeline, Pipeline
from unmoor.core.scheduler import Run
from unmoor.core.stage import Build, Check, NotUndone, Output, Publish, Push, Reach, StageContext
from unmoor.errors import Rejected, Unknown
from unmoor.render import words

Log = list[str]


@dataclass(frozen=True, kw_only=True)
class Toy:
    """What the toy stages share: a log, what they find, and how they fail."""

    log: Log = field(default_factory=list, compare=False)
    needs_: tuple[Output[Any], ...] = ()
    there: bool = False
    breaks: bool = False
    hidden: bool = False
    meets: threading.Barrier | None = None

    def _find(self, name: str) -> str | None:
        self.log.append(f"find {name}")
        if self.hidden:
            raise Unknown("hidden", next_step=NextStep("nothing"))
        return name if self.there else None

    def _make(self, name: str) -> str:
        self.log.append(f"make {name}")
        if self.meets:
            self.meets.wait(timeout=10)
        if self.breaks:
            raise Rejected("no", next_step=NextStep("nothing"))
        return name


@dataclass(frozen=True, kw_only=True)
class ToyCheck(Toy, Check[str]):
    """Reads."""

    one: Output[Any] | None = None
    two: Output[Any] | None = None

    def plan(self) -> str:
        """Say so."""
        return f"check {self.name}"

    def make(self, context: StageContext) -> str:
        """Log it."""
        context.warn(f"{self.name} warns")
        return self._make(self.name)


@dataclass(frozen=True, kw_only=True)
class ToyBuild(Toy, Build[str]):
    """Makes locally."""

    one: Output[Any] | None = None
    two: Output[Any] | None = None

    def plan(self) -> str:
        """Say so."""
        return f"build {self.name}"

    def find(self, context: StageContext) -> str | None:
        """Log it."""
        del context
        return self._find(self.name)

    def make(self, context: StageContext) -> str:
        """Log it."""
        del context
        return self._make(self.name)


@dataclass(frozen=True, kw_only=True)
class ToyPush(ToyBuild, Push[str]):
    """Pushes."""

    def undo(self, product: str) -> NotUndone:
        """Leave it."""
        return NotUndone(product)

    reach = Reach.REMOTE


@dataclass(frozen=True, kw_only=True)
class ToyPublish(ToyBuild, Publish[str]):
    """Seals."""

    def remedy(self, product: str) -> str:
        """Say nothing useful."""
        return product

    reach = Reach.FINAL


def release(log: Log, **changes: dict[str, Any]) -> Pipeline:
    """Make a small release: tag, dists, proof beside draft, staging, index, page."""

    def setting(name: str) -> dict[str, Any]:
        return {"name": name, "log": log, **changes.get(name, {})}

    tag = ToyCheck(**setting("tag"))
    dists = ToyBuild(one=tag.output, **setting("dists"))
    proof = ToyBuild(one=dists.output, **setting("proof"))
    draft = ToyPush(one=dists.output, after=(proof.output,), **setting("draft"))
    staging = ToyPush(one=dists.output, **({"after": (draft.output,)} | setting("staging")))
    index = ToyPublish(one=dists.output, after=(proof.output, draft.output), **setting("index"))
    page = ToyPublish(one=draft.output, after=(index.output,), **setting("page"))
    return Pipeline((tag, dists, proof, draft, staging, index, page))


def run(pipeline: Pipeline, ceiling: Reach = Reach.FINAL, **settings: Any) -> Report:
    """Run it to the end."""
    return Run(pipeline=pipeline, world="toy", rehearsal=True, ceiling=ceiling, **settings).execute()


def kinds(report: Report) -> dict[str, str]:
    """Name each stage's kind of outcome."""
    return {each.info.name: type(each.outcome).__name__ for each in report.stages}


def test_a_whole_run_makes_everything_in_order() -> None:
    """Every stage is made once, and the final ones come last."""
    log: Log = []
    report = run(release(log))
    assert set(kinds(report).values()) == {"Made"}
    made = [line for line in log if line.startswith("make")]
    assert made[0] == "make tag"
    assert made[-2:] == ["make index", "make page"]
    assert len(made) == 7


@pytest.mark.parametrize(
    ("ceiling", "made"),
    [
        (Reach.READS, {"tag"}),
        (Reach.LOCAL, {"tag", "dists", "proof"}),
        (Reach.REMOTE, {"tag", "dists", "proof", "draft", "staging"}),
        (Reach.FINAL, {"tag", "dists", "proof", "draft", "staging", "index", "page"}),
    ],
)
def test_nothing_above_the_ceiling_is_made(ceiling: Reach, made: set[str]) -> None:
    """A stage above the ceiling, or standing on one that is, is planned."""
    log: Log = []
    report = run(release(log), ceiling)
    assert {line[5:] for line in log if line.startswith("make")} == made
    assert {name for name, kind in kinds(report).items() if kind == "Planned"} == set(release([]).names) - made


@pytest.mark.parametrize(("there", "kind", "made"), [(True, "Found", True), (False, "Failed", False)])
def test_a_refused_stage_may_look(*, there: bool, kind: str, made: bool) -> None:
    """A stage that may not make anything in this run still finds what is there; else nothing that needs it is made."""
    log: Log = []

    def refuse(stage: AnyStage) -> Rejected | None:
        return Rejected("never", next_step=NextStep("nothing")) if stage.name == "proof" else None

    report = run(release(log, proof={"there": there}), refuse=refuse)
    assert kinds(report)["proof"] == kind
    assert "make proof" not in log
    assert ("make draft" in log) is made


@pytest.mark.parametrize(
    ("ceiling", "draft", "warned"),
    [(Reach.LOCAL, Planned, ["tag warns", "cannot de"]), (Reach.REMOTE, Failed, ["tag warns"])],
)
def test_what_cannot_be_seen_matters_only_below_the_ceiling(ceiling: Reach, draft: type, warned: list[str]) -> None:
    """A look that gives no answer fails a stage that would be made, and is a warning on one that would not."""
    report = run(release([], draft={"hidden": True}), ceiling)
    assert isinstance(report.outcome("draft"), draft)
    assert [warning.text[:9] for warning in report.warnings] == [text[:9] for text in warned]


def test_what_the_world_holds_is_not_made_again() -> None:
    """Found is done: a run over a finished release makes nothing but checks."""
    log: Log = []
    names = ("dists", "proof", "draft", "staging", "index", "page")
    report = run(release(log, **{name: {"there": True} for name in names}))
    assert [line for line in log if line.startswith("make")] == ["make tag"]
    assert all(isinstance(report.outcome(name), Found) for name in names)


def test_a_reading_run_still_finds_what_is_there() -> None:
    """Under the lowest ceiling what is already true is found, though what comes before it is only planned."""
    report = run(release([], dists={"there": True}, index={"there": True}), Reach.READS)
    assert isinstance(report.outcome("index"), Found)
    assert isinstance(report.outcome("draft"), Planned)


@pytest.mark.parametrize("broken", ["dists", "proof", "draft", "staging"])
def test_nothing_final_happens_after_a_failure(broken: str) -> None:
    """One failed stage anywhere before the point of no return keeps every final stage from being made."""
    log: Log = []
    report = run(release(log, **{broken: {"breaks": True}}))
    assert isinstance(report.outcome(broken), Failed)
    assert not {"make index", "make page"} & set(log)
    assert isinstance(report.outcome("page"), Skipped)


def test_a_final_stage_waits_for_what_it_does_not_need() -> None:
    """The index is not touched while a stage that it does not stand on can still fail."""
    log: Log = []
    run(release(log))
    assert log.index("make staging") < log.index("make index")


def test_advice_that_fails_stops_nobody() -> None:
    """An advisory stage fails aloud, and the release goes on."""
    report = run(release([], staging={"breaks": True, "advisory": True}))
    assert isinstance(report.outcome("staging"), Failed)
    assert isinstance(report.outcome("page"), Made)


def test_stages_whose_inputs_are_there_run_side_by_side() -> None:
    """Two stages that meet at a barrier can both pass it only if they run at the same time."""
    log: Log = []
    meeting = threading.Barrier(2)
    tag = ToyCheck(name="tag", log=log)
    left = ToyBuild(name="left", log=log, one=tag.output, meets=meeting)
    right = ToyBuild(name="right", log=log, one=tag.output, meets=meeting)
    assert set(kinds(run(Pipeline((tag, left, right)))).values()) == {"Made"}


@dataclass(frozen=True, kw_only=True)
class Slow(ToyCheck):
    """Takes longer than the deadline of its run, but not than the time that stages have to stop."""

    def make(self, context: StageContext) -> str:
        """Sleep past the deadline."""
        del context
        time.sleep(0.8)
        return self.name


@pytest.mark.parametrize(
    ("last", "states"),
    [
        ((), {"quick": "Made", "slow": "Made"}),
        (("late",), {"quick": "Made", "slow": "Made", "late": "Failed"}),
        (("late", "later"), {"quick": "Made", "slow": "Made", "late": "Failed", "later": "Skipped"}),
    ],
    ids=["all ended", "one did not run", "two did not run"],
)
def test_a_stage_that_ends_while_the_run_is_stopped_keeps_its_product(
    last: tuple[str, ...], states: dict[str, str]
) -> None:
    """The error of a stopped run goes to the first stage that did not run, and to none if all of them ended."""
    slow = Slow(name="slow")
    stages = (ToyCheck(name="quick"), slow, *(ToyCheck(name=name, after=(slow.output,)) for name in last))
    report = run(Pipeline(stages), deadline=0.3)
    assert kinds(report) == states


def test_until_asks_only_for_what_is_needed() -> None:
    """A wanted stage that is there does not drag in what would have come before it."""
    log: Log = []
    report = run(release(log, dists={"there": True}, staging={"there": True}), until=("staging",))
    assert isinstance(report.outcome("staging"), Found)
    assert report.outcome("draft") is None
    assert "find draft" not in log


def test_until_makes_what_has_to_come_before() -> None:
    """A wanted stage that is absent first gets everything it must come after, and nothing else."""
    log: Log = []
    report = run(release(log), until=("staging",))
    made = [line[5:] for line in log if line.startswith("make")]
    assert made == ["tag", "dists", "proof", "draft", "staging"]
    assert report.outcome("index") is None


def test_a_fault_of_ours_is_an_outcome_with_its_traceback(tmp_path: Path) -> None:
    """An unexpected exception becomes an internal failure; the journal keeps the traceback."""

    @dataclass(frozen=True, kw_only=True)
    class Broken(ToyCheck):
        def make(self, context: StageContext) -> str:
            del context
            raise ZeroDivisionError

    journal = FileJournal(tmp_path / "journal.jsonl")
    journal.start()
    report = run(Pipeline((Broken(name="tag"),)), journal=journal)
    outcome = report.outcome("tag")
    assert isinstance(outcome, Failed)
    assert outcome.error.exit_code == 70
    lines = [json.loads(line) for line in (tmp_path / "journal.jsonl").read_text().splitlines()]
    assert [line["event"] for line in lines] == ["run begins", "begins", "ended", "run ended"]
    assert "ZeroDivisionError" in lines[2]["traceback"]


def test_the_journal_goes_on_after_a_cut_line(tmp_path: Path) -> None:
    """A line that a crash cut off does not spoil the next one."""
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b'{"event": "beg')
    journal = FileJournal(path)
    journal.write({"event": "x"})
    assert path.read_bytes() == b'{"event": "beg'
    journal.start()
    assert json.loads(path.read_text().splitlines()[1])["event"] == "x"


@dataclass
class FullDisk:
    """A journal that takes no record from the first one on whose event and stage are these."""

    first: str
    full: bool = False
    records: list[str] = field(default_factory=list)

    def write(self, record: Mapping[str, Any]) -> None:
        """Take the record, or raise."""
        name = f"{record['event']} {record.get('stage', '')}".strip()
        self.full = self.full or name == self.first
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device", "journal.jsonl")
        self.records.append(name)


WARNED = "the journal cannot be written (No space left on device: journal.jsonl)"


@pytest.mark.parametrize(
    "first", ["begins tag", "ended tag", "begins draft", "ended draft", "ended staging", "begins index"]
)
def test_a_journal_that_cannot_be_written_stops_what_can_still_be_stopped(first: str) -> None:
    """Nothing final begins. The report says which stages were not reached, and what may be out in part."""
    log: Log = []
    report = run(release(log), journal=FullDisk(first))
    event, _, name = first.partition(" ")
    outcome = report.outcome(name)
    assert isinstance(outcome, Failed)
    assert (outcome.error.exit_code, outcome.begun) == (13, event == "ended")
    assert "make index" not in log
    assert [each.info.name for each in words.failures(report)] == [name]
    partly = [f"{name}: possibly in part, see its error"] if event == "ended" and name != "tag" else []
    assert [line for line in words.already_published(report) if "in part" in line] == partly
    assert {"index", "page"} - {name} <= set(words.not_reached(report))


@pytest.mark.parametrize("first", ["ended index", "begins page", "ended page", "run ended"])
def test_after_the_point_of_no_return_it_is_a_warning(first: str) -> None:
    """Half a release would be worse than a journal that ends early. One warning is enough."""
    events: list[Event] = []
    report = run(release([]), journal=FullDisk(first), listeners=(events.append,))
    assert set(kinds(report).values()) == {"Made"}
    warned = [each.text for each in report.warnings if each.text != "tag warns"]
    assert warned == [f"{WARNED}; the run continues without it"]
    assert [each.text for each in events if isinstance(each, StageWarned)] == ["tag warns", *warned]
    assert events[-1] == RunEnded(report=report)


def test_what_is_out_already_is_past_the_point_of_no_return() -> None:
    """A run that finds the index complete goes on, too."""
    report = run(release([], index={"there": True}), journal=FullDisk("ended index"))
    assert kinds(report)["index"] == "Found"
    assert kinds(report)["page"] == "Made"
    assert WARNED in report.warnings[-1].text


def test_a_failure_counts_more_than_the_journal() -> None:
    """The error of a stage is not replaced by that of the journal, which comes after it."""
    report = run(release([], draft={"breaks": True}), journal=FullDisk("ended draft"))
    outcome = report.outcome("draft")
    assert isinstance(outcome, Failed)
    assert (outcome.error.what, outcome.begun) == ("no", True)


def test_a_run_without_anything_final_ends_with_a_report() -> None:
    """There is nothing left to stop at its end."""
    report = run(release([]), Reach.REMOTE, journal=FullDisk("run ended"))
    assert kinds(report)["staging"] == "Made"
    assert WARNED in report.warnings[-1].text


class BrokenReport:
    """A listener that fails from an event on."""

    def __init__(self, kind: type[Event], stage: str = "") -> None:
        self.kind, self.stage, self.fails = kind, stage, False

    def __call__(self, event: Event) -> None:
        """Fail, or do nothing."""
        self.fails = self.fails or (isinstance(event, self.kind) and getattr(event, "stage", "") == self.stage)
        if self.fails:
            raise OSError(errno.EIO, "Input/output error")


@pytest.mark.parametrize(
    ("broken", "whole", "unreported"),
    [
        (BrokenReport(StageEnded, "draft"), False, 1),
        (BrokenReport(StageEnded, "index"), True, 1),
        (BrokenReport(StageStarted, "page"), True, 1),
        (BrokenReport(RunEnded), True, 1),
    ],
    ids=["before", "at the end of a final stage", "between final stages", "at the end"],
)
def test_a_broken_report_stops_nothing_final(broken: BrokenReport, *, whole: bool, unreported: int) -> None:
    """The other listeners are told everything, and the failure is in the report of the run."""
    events: list[Event] = []
    report = run(release([]), listeners=(broken, events.append))
    assert (kinds(report)["page"] == "Made") is whole
    assert isinstance(events[-1], RunEnded)
    assert len(report.unreported) == unreported


def test_a_fault_of_the_schedule_itself_is_in_the_report() -> None:
    """Even then the report says what the stages have done."""

    def broken() -> None:
        raise ZeroDivisionError

    report = run(release([]), raise_if_stopped=broken)
    (outcome, *_) = [each.outcome for each in report.stages if isinstance(each.outcome, Failed)]
    assert isinstance(outcome, Failed)
    assert outcome.error.exit_code == 70


def test_listeners_get_every_end_and_every_warning() -> None:
    """The events of a listener match the report."""
    events: list[Event] = []
    report = run(release([]), listeners=(events.append,))
    assert [e.stage for e in events if isinstance(e, StageEnded)].count("page") == 1
    assert [e for e in events if isinstance(e, StageWarned)] == list(report.warnings)
    assert [w.text for w in report.warnings] == ["tag warns"]


def test_a_run_ends_at_its_deadline() -> None:
    """A stage that never comes back fails the run by name."""
    never = threading.Event()

    @dataclass(frozen=True, kw_only=True)
    class Stuck(ToyCheck):
        def make(self, context: StageContext) -> str:
            del context
            never.wait(30)
            raise Rejected("stopped", next_step=NextStep("nothing"))

    report = run(Pipeline((Stuck(name="tag"),)), deadline=0.01, stop_programs=never.set)
    assert isinstance(report.outcome("tag"), Failed)


CHECK = ToyCheck(name="a")
SEAL = ToyPublish(name="s", one=CHECK.output)
ADVICE = ToyBuild(name="advice", advisory=True)


@pytest.mark.parametrize(
    ("stages", "words"),
    [
        (lambda: (CHECK, CHECK), "two stages are called 'a'"),
        (lambda: (SEAL, CHECK), "'s' needs 'a'"),
        (lambda: (CHECK, SEAL, ToyBuild(name="late", one=CHECK.output)), "'late' is listed after the final 's'"),
        (lambda: (ADVICE, ToyBuild(name="b", one=ADVICE.output)), "'b' depends on 'advice'"),
    ],
)
def test_a_pipeline_that_breaks_a_law_cannot_be_made(stages: Callable[[], tuple[AnyStage, ...]], words: str) -> None:
    """Each law is checked when the pipeline is constructed."""
    with pytest.raises(InvalidPipeline, match=words):
        Pipeline(stages())


@dataclass(frozen=True, kw_only=True)
class ToyNews(ToyPublish):
    """Runs last, and writes down what failed."""

    advisory: bool = True
    runs_last = True

    def make(self, context: StageContext) -> str:
        """Log the names of what failed."""
        self.log.append(f"news of {','.join(context.failures)}")
        return self.name


def with_news(log: Log, **changes: dict[str, Any]) -> Pipeline:
    """Add two deployments after the page, and a stage that runs last and needs the tag."""
    stages = release(log, **changes).stages
    page = stages[-1].output
    docs = ToyPush(name="docs", log=log, after=(page,), **changes.get("docs", {}))
    space = ToyPush(name="space", log=log, after=(page,), **changes.get("space", {}))
    needs = (page, docs.output, space.output)
    return Pipeline((*stages, docs, space, ToyNews(name="news", log=log, one=stages[0].output, after=needs)))


@pytest.mark.parametrize(
    ("broken", "news"),
    [((), ""), (("docs",), "docs"), (("docs", "space"), "docs,space"), (("draft",), "draft"), (("tag",), None)],
    ids=["nothing", "one", "two", "early", "its input"],
)
def test_a_stage_that_runs_last_is_told_what_failed(broken: tuple[str, ...], news: str | None) -> None:
    """No failed deployment stops another, and what runs last runs in any case, unless its own input is missing."""
    log: Log = []
    report = run(with_news(log, **{name: {"breaks": True} for name in broken}))
    told = [line.removeprefix("news of ") for line in log if line.startswith("news")]
    assert told == ([] if news is None else [news])
    if broken == ("docs",):
        assert isinstance(report.outcome("space"), Made)
        assert words.failures(report)[0].info.name == "docs"


def test_what_is_advisory_is_no_failure_to_tell() -> None:
    """An advisory deployment that fails is a warning, so what runs last is told of nothing."""
    log: Log = []
    run(with_news(log, docs={"breaks": True, "advisory": True}))
    assert "news of " in log


@pytest.mark.parametrize("ceiling", [Reach.READS, Reach.LOCAL, Reach.REMOTE])
def test_a_stage_that_runs_last_keeps_the_ceiling(ceiling: Reach) -> None:
    """Below its reach it only says what it would do, whether something failed or not."""
    for changes in ({}, {"dists": {"breaks": True}}):
        log: Log = []
        assert isinstance(run(with_news(log, **changes), ceiling).outcome("news"), Planned)
        assert not [line for line in log if line.startswith("news")]


def test_nothing_comes_after_what_runs_last() -> None:
    """A pipeline that breaks this rule, or whose last stage could fail the run, is refused."""
    tag = ToyCheck(name="tag")
    news = ToyNews(name="news", one=tag.output)
    with pytest.raises(InvalidPipeline, match="runs last"):
        Pipeline((tag, news, ToyCheck(name="more", one=news.output, advisory=True)))
    with pytest.raises(InvalidPipeline, match="runs last"):
        Pipeline((tag, ToyNews(name="news", one=tag.output, advisory=False)))
