"""Sends the spans of a run to an OpenTelemetry collector, which can neither stop the run nor hold it up.

The SDK makes the spans, and its exporter encodes them and reads the standard variables: headers, certificates,
compression. Both do more than is good for a release. By default the exporter blocks for 7 to 10 s if the collector is
dead or silent, ``force_flush`` ignores its limit, and the log of a header that cannot be read quotes it. So spans are
sent by a thread of their own, over connections with a deadline and a size limit, and nothing is logged.

Needs the extra ``unmoor[traces]``: import this module only if a run sends spans.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from http import HTTPStatus
from typing import Any

import requests
from google.protobuf.message import DecodeError
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.trace import Tracer

from unmoor.adapters.http.limits import BoundedAdapter, Bounds
from unmoor.adapters.http.session import NoLogin, user_agent
from unmoor.adapters.http.urls import parsed
from unmoor.errors import UnmoorError
from unmoor.util.text import clean

LONGEST_WAIT = 2.0
"""Seconds that the end of a run waits at most for spans that are not sent yet."""

_BOUNDS = Bounds(connect=1.0, stall=1.0, total=1.0, limit=100_000)
# Seconds in which spans are collected before they are sent. What is killed loses no more than these.
_COLLECTING = 1.0
# A run has some 40 spans; a collector that is back after an hour gets the last of them.
_MOST_KEPT = 1000


class SpanSender(SpanProcessor):
    """Sends spans as they end, from a thread. What could not be sent goes with the next ones.

    ``endpoint`` is the complete address of a collector, such as ``http://collector:4318/v1/traces``. Raises
    `UnmoorError` if it is no address, and what the SDK raises for other variables that it cannot use.
    """

    def __init__(self, endpoint: str) -> None:
        parsed(endpoint)
        # Without a handler, Python prints warnings; they may quote headers, which hold credentials.
        log = logging.getLogger("opentelemetry")
        log.addHandler(logging.NullHandler())
        log.propagate = False
        self._connection = _Connection()
        session = requests.Session()
        session.auth = NoLogin()
        session.max_redirects = 0
        # Servers close idle connections, and a request that meets this is not repeated.
        session.headers.update({"User-Agent": user_agent(), "Connection": "close"})
        session.adapters.clear()
        for scheme in ("https://", "http://"):
            session.mount(scheme, self._connection)
        self._exporter = OTLPSpanExporter(endpoint=endpoint, timeout=_BOUNDS.total, session=session)
        self._spans: queue.SimpleQueue[ReadableSpan | None] = queue.SimpleQueue()
        self._failure = ""
        self._ended = threading.Event()
        threading.Thread(target=self._work, name="traces", daemon=True).start()

    def tracer(self) -> Tracer:
        """Return what makes the spans that are sent. Variables of the standard name the service and its attributes."""
        named = OTELResourceDetector().detect().attributes
        resource = Resource.create({"service.name": "unmoor", "service.version": _version(), **named})
        # Without its own end at the exit of the process, which would wait for spans.
        provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        provider.add_span_processor(self)
        return provider.get_tracer("unmoor", _version())

    def on_end(self, span: ReadableSpan) -> None:
        """Take a span that ended."""
        if span.context is not None and span.context.trace_flags.sampled:
            self._spans.put(span)

    def finish(self) -> str:
        """Send what is left, for at most two seconds. Return why spans could not be sent, empty if all were."""
        self._spans.put(None)
        if not self._ended.wait(LONGEST_WAIT):
            return f"no complete answer within {LONGEST_WAIT:g} s"
        return self._failure

    def _work(self) -> None:
        """Send spans until the end. What a bug of a library raises is a failure to send, too."""
        kept: list[ReadableSpan] = []
        goes_on = True
        while goes_on:
            batch = self._collect()
            goes_on = None not in batch
            kept = [*kept, *(each for each in batch if each is not None)][-_MOST_KEPT:]
            if kept:
                self._failure = self._send(kept)
                kept = kept if self._failure else []
        self._ended.set()

    def _collect(self) -> list[ReadableSpan | None]:
        """Wait for a span, then a moment for more of them. ``None`` is the end of the run."""
        found = [self._spans.get()]
        until = time.monotonic() + _COLLECTING
        while found[-1] is not None:
            try:
                found.append(self._spans.get(timeout=max(until - time.monotonic(), 0)))
            except queue.Empty:
                break
        return found

    def _send(self, spans: list[ReadableSpan]) -> str:
        """Send spans once. Return what went wrong, empty if nothing."""
        self._connection.failure = ""
        try:
            result = self._exporter.export(spans)
        except Exception as error:  # noqa: BLE001 - whatever happens to a trace is no matter of the release
            return self._connection.failure or f"the exporter failed: {type(error).__name__}"
        if result is SpanExportResult.SUCCESS:
            return self._connection.failure
        return self._connection.failure or "the exporter gave up"


class _Connection(BoundedAdapter):
    """Exchanges with a collector, bounded. ``failure`` says what was wrong with the last one, empty if nothing."""

    def __init__(self) -> None:
        super().__init__(_BOUNDS)
        self.failure = ""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Do one exchange, and judge the answer: the exporter takes a redirect and any text for a success."""
        try:
            response = super().send(request, *args, **kwargs)
            self.failure = _wrong_with(response)
        except UnmoorError as error:
            self.failure = str(error)
            raise
        return response


def _wrong_with(response: requests.Response) -> str:
    """Say what is wrong with the answer of a collector, empty if it took all spans."""
    if response.status_code != HTTPStatus.OK:
        return clean(f"the collector answered {response.status_code} {response.reason or ''}", limit=200)
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if not response.content or kind == "application/json":  # empty from some, JSON from others: nothing to decode
        return ""
    try:
        answer = ExportTraceServiceResponse.FromString(response.content)
    except DecodeError:
        return "what answers is not a collector: its answer is not that of OTLP"
    refused = answer.partial_success.rejected_spans
    why = clean(answer.partial_success.error_message, limit=200)
    return f"the collector refused {refused} spans: {why}" if refused else ""


def _version() -> str:
    try:
        from unmoor._version import version
    except ImportError:
        return "0"
    return version
