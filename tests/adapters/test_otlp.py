"""Spans reach a collector, and a collector that does not work costs no more than two seconds."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from tests.support.collectors import collecting, values
from tests.support.faulty_server import Exchange, run_server

from unmoor.adapters.otlp import LONGEST_WAIT, SpanSender
from unmoor.errors import Unknown


def sent(endpoint: str) -> str:
    """Send a span there, and return why that was not possible."""
    sender = SpanSender(endpoint)
    sender.tracer().start_span("one").end()
    return sender.finish()


def test_a_collector_gets_spans_with_what_the_variables_of_the_standard_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """Headers and attributes of the resource are those of the environment, and the service may have another name."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=of%20mine")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=ci")
    with collecting() as collector:
        assert not sent(f"{collector.server.url}/v1/traces")
        assert values(collector.got[0])["service.name"] == "unmoor"
        monkeypatch.setenv("OTEL_SERVICE_NAME", "releases")
        assert not sent(f"{collector.server.url}/v1/traces")
        resource = values(collector.got[1])
    assert {"service.name": "releases", "deployment.environment.name": "ci"}.items() <= resource.items()
    assert [each.headers["x-key"] for each in collector.server.seen] == ["of mine"] * 2


def refusing(exchange: Exchange) -> None:
    """Take the request, but not its spans."""
    answer = ExportTraceServiceResponse()
    answer.partial_success.rejected_spans = 1
    answer.partial_success.error_message = "too\x1b[31m old"
    exchange.answer(200, answer.SerializeToString(), kind="application/x-protobuf")


def dripping(exchange: Exchange) -> None:
    """Answer a byte at a time."""
    exchange.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    exchange.drip(b"x")


@pytest.mark.parametrize(
    ("script", "said"),
    [
        pytest.param(Exchange.hang, "no complete answer within 1 s", id="silent"),
        pytest.param(dripping, "no complete answer within 1 s", id="dripping"),
        pytest.param(Exchange.reset, "the connection failed", id="reset"),
        pytest.param(lambda exchange: exchange.raw(b"hello\r\n\r\n"), "the answer is not HTTP", id="not HTTP"),
        pytest.param(lambda exchange: exchange.answer(200, "<html>"), "not that of OTLP", id="a page"),
        pytest.param(lambda exchange: exchange.answer(200, b"x" * 1_000_000), "larger than", id="large"),
        pytest.param(lambda exchange: exchange.answer(401), "answered 401 Unauthorized", id="401"),
        pytest.param(lambda exchange: exchange.answer(503), "answered 503 Service Unavailable", id="503"),
        pytest.param(
            lambda exchange: exchange.answer(429, headers={"Retry-After": "3600"}), "answered 429", id="an hour"
        ),
        pytest.param(lambda exchange: exchange.redirect("http://127.0.0.1:9/"), "answered 302", id="redirect"),
        pytest.param(refusing, "the collector refused 1 spans: too old", id="refused"),
    ],
)
def test_a_collector_that_does_not_work_costs_two_seconds_at_most(
    script: Callable[[Exchange], None], said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """The end of a run waits no longer, and knows what was wrong. Nothing else is printed."""
    with run_server(script) as server:
        begun = time.monotonic()
        assert said in sent(f"{server.url}/v1/traces")
        assert time.monotonic() - begun < LONGEST_WAIT + 1  # with a second for a slow machine
    assert capfd.readouterr() == ("", "")


def test_a_collector_that_is_not_there() -> None:
    """No server listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        assert "the connection failed" in sent(f"http://127.0.0.1:{unused.getsockname()[1]}/v1/traces")


def test_spans_that_could_not_be_sent_go_with_the_next() -> None:
    """A collector that was away for a while misses nothing."""
    answers = [400, 200]
    with run_server(lambda exchange: exchange.answer(answers.pop(0))) as server:
        sender = SpanSender(f"{server.url}/v1/traces")
        tracer = sender.tracer()
        tracer.start_span("one").end()
        ended = time.monotonic() + 20
        while answers == [400, 200] and time.monotonic() < ended:
            time.sleep(0.01)
        tracer.start_span("two").end()
        assert not sender.finish()
        lengths = [int(each.headers["Content-Length"]) for each in server.seen]
    assert lengths[1] > lengths[0]


@pytest.mark.parametrize("endpoint", ["collector:4318", "ftp://collector/", "http://user:secret@collector/", "http://"])
def test_an_endpoint_is_a_plain_address(endpoint: str) -> None:
    """Anything else is refused before a thread begins, without credentials in the message."""
    with pytest.raises(Unknown) as caught:
        SpanSender(endpoint)
    assert "secret" not in str(caught.value)
