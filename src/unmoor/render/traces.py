"""Spans of OpenTelemetry: one for the run, one below it for each stage, with warnings as events.

Attributes hold what the lines of a run show, without secrets, the user's name and the path of the home folder.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from opentelemetry.context import Context
from opentelemetry.trace import Span, Status, StatusCode, Tracer, get_current_span, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from unmoor.core.events import Event, Report, RunEnded, RunStarted, StageEnded, StageInfo, StageStarted, StageWarned
from unmoor.core.outcome import Failed, Found, Made, Outcome
from unmoor.products import Release
from unmoor.render import words
from unmoor.util.secret_scan import token_in
from unmoor.util.text import clean

_LONGEST = 2000
Value = str | bool | int | float


def parent_of(traceparent: str, tracestate: str = "") -> Context | None:
    """Return the context of the span that began this process, ``None`` if ``traceparent`` is invalid.

    Source: W3C Trace Context, "Traceparent Header".
    """
    carrier = {"traceparent": traceparent.strip(), "tracestate": tracestate}
    context = TraceContextTextMapPropagator().extract(carrier, Context())
    return context if get_current_span(context).get_span_context().is_valid else None


@dataclass(kw_only=True)
class Traces:
    """A listener that makes spans. It never raises: what breaks here is no matter of the release.

    ``redact`` takes what nobody else may read out of a text. ``finish`` sends what is left, and returns why spans could
    not be sent. ``warn`` gets the one warning, at the end.
    """

    tracer: Tracer
    parent: Context | None
    redact: Callable[[str], str]
    finish: Callable[[], str]
    warn: Callable[[str], object]
    _run: Span | None = field(default=None, init=False)
    _stages: dict[str, StageInfo] = field(default_factory=dict, init=False)
    _open: dict[str, Span] = field(default_factory=dict, init=False)
    _failure: str = field(default="", init=False)

    def __post_init__(self) -> None:
        # A clock that is set while the run lasts must not change how long a stage took.
        self._offset = time.time_ns() - time.monotonic_ns()

    def __call__(self, event: Event) -> None:
        """Begin or end a span, or add an event to one."""
        if not self._failure:
            try:
                self._take(event)
            except Exception as error:  # noqa: BLE001 - see above
                self._failure = f"the trace broke off: {type(error).__name__}"
        if isinstance(event, RunEnded) and (failure := self.finish() or self._failure):
            self.warn(f"the trace of this run is incomplete: {clean(self.redact(failure), limit=500)}")

    def _take(self, event: Event) -> None:
        match event:
            case RunStarted():
                self._begin_run(event)
            case StageStarted(stage=stage):
                self._begin_stage(stage)
            case StageWarned(stage=stage, text=text):
                if span := self._open.get(stage, self._run):
                    span.add_event("warning", {"message": self._text(text)}, timestamp=self._now())
            case StageEnded(stage=stage, outcome=outcome):
                self._end_stage(stage, outcome)
            case RunEnded(report=report):
                self._end_run(report)
            case _:
                pass

    def _begin_run(self, event: RunStarted) -> None:
        self._stages = {each.name: each for each in event.stages}
        attributes: dict[str, Value] = {
            "unmoor.world": self._text(event.world),
            "unmoor.rehearsal": event.rehearsal,
            "unmoor.ceiling": event.ceiling.name.lower(),
        }
        name = "rehearsal" if event.rehearsal else "release"
        self._run = self.tracer.start_span(
            name, context=self.parent or Context(), attributes=attributes, start_time=self._now()
        )

    def _begin_stage(self, stage: str) -> None:
        """Begin the span of a stage. One that looks first and makes later begins twice, but is one span."""
        if self._run is None or stage in self._open:
            return
        info = self._stages[stage]
        self._open[stage] = self.tracer.start_span(
            stage,
            context=set_span_in_context(self._run, Context()),
            attributes={
                "unmoor.stage": stage,
                "unmoor.reach": info.reach.name.lower(),
                "unmoor.advisory": info.advisory,
            },
            start_time=self._now(),
        )

    def _end_stage(self, stage: str, outcome: Outcome | None) -> None:
        if (span := self._open.pop(stage, None)) is None:
            return
        if outcome is None:  # the run was stopped before the stage said how it ended
            span.set_attribute("unmoor.outcome", "interrupted")
            span.set_status(Status(StatusCode.ERROR, "interrupted"))
        else:
            text = self._text(words.text(outcome))
            span.set_attributes({"unmoor.outcome": outcome.state, "unmoor.result": text})
            self._judge(span, outcome, text)
            if isinstance(outcome, Made | Found) and isinstance(outcome.product, Release):
                self._name_release(outcome.product)
        span.end(end_time=self._now())

    def _judge(self, span: Span, outcome: Outcome, text: str) -> None:
        if isinstance(outcome, Failed):
            error = outcome.error
            span.set_attributes({"error.type": error.kind, "unmoor.exit_code": error.exit_code})
            span.set_status(Status(StatusCode.ERROR, text))
        elif isinstance(outcome, Made | Found):
            span.set_status(Status(StatusCode.OK))

    def _name_release(self, release: Release) -> None:
        if self._run is not None:
            values: Mapping[str, str] = {
                "unmoor.project": release.project,
                "unmoor.repository": release.repository,
                "unmoor.tag": release.tag,
                "unmoor.version": release.version,
                "unmoor.commit": release.commit,
            }
            self._run.set_attributes({name: self._text(value) for name, value in values.items()})

    def _end_run(self, report: Report) -> None:
        for stage in tuple(self._open):
            self._end_stage(stage, report.outcome(stage))
        if self._run is None:
            return
        failed = [each.outcome.error for each in words.failures(report) if isinstance(each.outcome, Failed)]
        self._run.set_attributes(
            {
                "unmoor.outcome": "failed" if failed else "passed",
                "unmoor.exit_code": failed[0].exit_code if failed else 0,
                "unmoor.warnings": len(report.warnings),
            }
        )
        if failed:
            self._run.set_attribute("error.type", failed[0].kind)
            self._run.set_status(Status(StatusCode.ERROR, self._text(str(failed[0]).partition("\n")[0])))
        else:
            self._run.set_status(Status(StatusCode.OK))
        self._run.end(end_time=self._now())

    def _now(self) -> int:
        return self._offset + time.monotonic_ns()

    def _text(self, text: str) -> str:
        """Make text from outside fit for an attribute."""
        shown = clean(self.redact(text), limit=_LONGEST)
        kind = token_in(shown)
        return f"(withheld: it contains {kind})" if kind else shown
