"""A collector of OpenTelemetry that decodes what it gets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span
from tests.support.faulty_server import Exchange, FaultyServer, run_server


@dataclass
class Collector:
    """What a collector got. ``body`` has all bytes of it, ``server`` its address and the requests."""

    server: FaultyServer
    got: list[ResourceSpans] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)

    @property
    def spans(self) -> dict[str, Span]:
        """The spans by name; each name is there once."""
        found = [span for each in self.got for scope in each.scope_spans for span in scope.spans]
        assert len({span.name for span in found}) == len(found)
        return {span.name: span for span in found}


@contextmanager
def collecting() -> Iterator[Collector]:
    """Run a collector that takes everything."""
    collectors: list[Collector] = []

    def take(exchange: Exchange) -> None:
        body = exchange.read()
        collectors[0].body += body
        collectors[0].got += ExportTraceServiceRequest.FromString(body).resource_spans
        exchange.answer(200, kind="application/x-protobuf")

    with run_server(take) as server:
        collectors.append(Collector(server))
        yield collectors[0]


def values(of: Span | ResourceSpans) -> dict[str, str | bool | int]:
    """Return the attributes of a span or of a resource."""
    return _values(of.attributes if isinstance(of, Span) else of.resource.attributes)


def _values(pairs: object) -> dict[str, str | bool | int]:
    found: dict[str, str | bool | int] = {}
    for pair in pairs:  # type: ignore[attr-defined]
        assert isinstance(pair, KeyValue)
        found[pair.key] = getattr(pair.value, str(pair.value.WhichOneof("value")))
    return found
