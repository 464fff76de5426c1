"""The spans of a run: parents, names, times, status, and nothing that others must not read."""

from __future__ import annotations

from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from tests.support.sample_values import sample_release

from unmoor.advice import NextStep
from unmoor.core.events import Event, Report, RunEnded, RunStarted, StageEnded, StageInfo, StageReport, StageStarted
from unmoor.core.events import StageWarned as Warned
from unmoor.core.outcome import Failed, Found, Made, Outcome, Planned, Skipped
from unmoor.core.stage import Reach
from unmoor.diagnostics.privacy import redaction
from unmoor.errors import Conflict, Interrupted
from unmoor.render.traces import Traces, parent_of

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
HOME = str(Path(Path.cwd().anchor) / "home" / "maud")
TOKEN = "ghp_" + "a1B2" * 9
OUTCOMES: dict[str, Outcome] = {
    "tag": Made(sample_release("acme/demo", "demo")),
    "dists": Found("2 files"),
    "docs": Failed(Conflict("no docs")),
    "pypi": Failed(Conflict(f"other bytes in {HOME}/demo", next_step=NextStep("use the next version", "x"))),
    "undraft": Skipped("pypi failed"),
    "verify": Planned("read back"),
}
INFOS = tuple(StageInfo(name=name, reach=Reach.READS, advisory=name == "docs") for name in OUTCOMES)
BEGINS = RunStarted(world="local", rehearsal=False, ceiling=Reach.FINAL, stages=INFOS)


def ended(outcomes: dict[str, Outcome]) -> RunEnded:
    """The end of a run with these outcomes."""
    stages = tuple(StageReport(info=info, outcome=outcomes.get(info.name), seconds=1.0, plan="do it") for info in INFOS)
    return RunEnded(report=Report(stages=stages, warnings=(Warned(stage="tag", text="look"),), seconds=2.0))


def traced(
    *events: Event, traceparent: str = f"00-{TRACE}-{PARENT}-01", failure: str = ""
) -> tuple[dict[str, ReadableSpan], list[str]]:
    """Return the spans of these events by name, and the warnings."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    warned: list[str] = []
    listener = Traces(
        tracer=provider.get_tracer("unmoor"),
        parent=parent_of(traceparent),
        redact=redaction({"HOME": HOME, "USERPROFILE": HOME, "API_TOKEN": "open-sesame"}),
        finish=lambda: failure,
        warn=warned.append,
    )
    for event in events:
        listener(event)
    spans = exporter.get_finished_spans()
    assert len({span.name for span in spans}) == len(spans)
    return {span.name: span for span in spans}, warned


def whole_run() -> list[Event]:
    """The events of a run, in which a stage begins twice: it looks, then makes."""
    events: list[Event] = [BEGINS, *(StageStarted(stage=name) for name in (*OUTCOMES, "pypi"))]
    events += [Warned(stage="pypi", text="token open-sesame\x1b[31m"), Warned(stage="run", text=f"found {TOKEN}")]
    events += [StageEnded(stage=name, outcome=outcome, seconds=1.0) for name, outcome in OUTCOMES.items()]
    return [*events, ended(OUTCOMES)]


def test_the_spans_of_a_run() -> None:
    """The run is a child of what began it, and each stage one of the run, with its outcome and what it lasted."""
    spans, warned = traced(*whole_run())
    run = spans.pop("release")
    assert (run.parent and run.parent.span_id) == int(PARENT, 16)
    assert list(spans) == list(OUTCOMES)
    assert {span.context.trace_id for span in (run, *spans.values()) if span.context} == {int(TRACE, 16)}
    for name, span in spans.items():
        assert span.parent == run.context
        assert (run.start_time or 0) <= (span.start_time or 0) <= (span.end_time or 0) <= (run.end_time or 0)
        assert (span.attributes or {})["unmoor.outcome"] == OUTCOMES[name].state
    assert {name: span.status.status_code for name, span in spans.items()} == {
        "tag": StatusCode.OK,
        "dists": StatusCode.OK,
        "docs": StatusCode.ERROR,
        "pypi": StatusCode.ERROR,
        "undraft": StatusCode.UNSET,
        "verify": StatusCode.UNSET,
    }
    assert run.status.status_code is StatusCode.ERROR
    assert (run.attributes or {}).items() >= {
        "unmoor.tag": "v1.0",
        "unmoor.outcome": "failed",
        "unmoor.exit_code": Conflict.exit_code,
        "error.type": "conflict",
        "unmoor.warnings": 1,
    }.items()
    assert warned == []


def test_nothing_that_others_must_not_read() -> None:
    """Secrets of the environment, tokens, the home folder and escape sequences are in no attribute and no event."""
    spans, _ = traced(*whole_run())
    assert [(each.name, dict(each.attributes or {})) for each in spans["pypi"].events] == [
        ("warning", {"message": "token ***"})
    ]
    assert [dict(each.attributes or {}) for each in spans["release"].events] == [
        {"message": "(withheld: it contains a GitHub token)"}
    ]
    assert spans["pypi"].status.description == "other bytes in ~/demo"
    everything = "".join(span.to_json() for span in spans.values())
    assert not any(each in everything for each in ("open-sesame", TOKEN, "maud", "\\u001b", "PATH"))


def test_a_run_that_was_stopped() -> None:
    """A stage that did not say how it ended has the outcome of the report, else it was interrupted."""
    stopped: dict[str, Outcome] = {"dists": Failed(Interrupted("stopped before the end"))}
    spans, _ = traced(BEGINS, StageStarted(stage="dists"), StageStarted(stage="docs"), ended(stopped))
    assert {name: span.status.description for name, span in spans.items()} == {
        "dists": "stopped before the end",
        "docs": "interrupted",
        "release": "stopped before the end",
    }
    assert (spans["release"].attributes or {})["unmoor.exit_code"] == Interrupted.exit_code


@pytest.mark.parametrize(
    ("traceparent", "spans"),
    [
        ("", 2),
        ("nonsense", 2),
        (f"00-{'0' * 32}-{PARENT}-01", 2),
        (f"ff-{TRACE}-{PARENT}-01", 2),
        (f"00-{TRACE}-{PARENT}-00", 0),
    ],
    ids=["none", "nonsense", "zeros", "version", "not sampled"],
)
def test_what_began_the_run(traceparent: str, spans: int) -> None:
    """Without a valid parent a trace begins; one that is not recorded has no spans of ours."""
    found, _ = traced(BEGINS, StageStarted(stage="dists"), ended({"dists": Made("x")}), traceparent=traceparent)
    assert len(found) == spans
    assert all(span.parent is None for name, span in found.items() if name == "release")


def test_one_warning_and_no_error() -> None:
    """What could not be sent is a warning after the end. So is a bug, which stops nothing."""
    assert traced(*whole_run(), failure="the collector answered 401")[1] == [
        "the trace of this run is incomplete: the collector answered 401"
    ]
    unknown = StageStarted(stage="unheard of")
    assert traced(BEGINS, unknown, unknown, ended({}))[1] == [
        "the trace of this run is incomplete: the trace broke off: KeyError"
    ]
