"""When a run sends a trace, and what a real run sends."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from tests.support.collectors import collecting, values

from unmoor.cli import traces

BASE = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}


@pytest.mark.parametrize(
    ("environ", "warning"),
    [
        pytest.param({}, "", id="no endpoint"),
        pytest.param({"OTEL_EXPORTER_OTLP_ENDPOINT": " "}, "", id="empty"),
        pytest.param({**BASE, "OTEL_SDK_DISABLED": "TRUE"}, "", id="disabled"),
        pytest.param({**BASE, "OTEL_TRACES_EXPORTER": "none"}, "", id="no exporter"),
        pytest.param({**BASE, "OTEL_TRACES_EXPORTER": "console, zipkin"}, "", id="others"),
        pytest.param({**BASE, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "has only http/protobuf", id="grpc"),
        pytest.param({"OTEL_EXPORTER_OTLP_ENDPOINT": "collector"}, "is no address of a collector", id="no address"),
        pytest.param({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://u:secret@c"}, "without credentials", id="credentials"),
    ],
)
def test_without_a_trace(environ: dict[str, str], warning: str) -> None:
    """Where no collector is named there is no listener, and where one cannot be used, one warning without secrets."""
    warned: list[str] = []
    assert traces.listeners(environ, warned.append) == ()
    assert [warning] * bool(warning) == [warning for each in warned if warning in each]
    assert len(warned) == bool(warning)
    assert "secret" not in "".join(warned)


def test_variables_that_the_sdk_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    """They turn the trace off, with a warning."""
    monkeypatch.setenv("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "many")
    warned: list[str] = []
    assert traces.listeners(BASE, warned.append) == ()
    assert warned == ["no trace is sent: the SDK refuses the variables that begin with OTEL_ (ValueError)"]


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The warning says how to install it."""
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    warned: list[str] = []
    assert traces.listeners(BASE, warned.append) == ()
    assert len(warned) == 1
    assert 'pip install "unmoor[traces]"' in warned[0]


@pytest.mark.parametrize(
    ("traceparent", "warnings"), [(f"00-{'1' * 32}-{'2' * 16}-01", 0), ("1-2-3", 1)], ids=["valid", "invalid"]
)
def test_with_a_trace(traceparent: str, warnings: int) -> None:
    """There is one listener. A parent that is invalid is a warning."""
    warned: list[str] = []
    assert len(traces.listeners({**BASE, "TRACEPARENT": traceparent}, warned.append)) == 1
    assert len(warned) == warnings


@pytest.mark.parametrize(
    ("environ", "endpoint"),
    [
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:1"}, "http://c:1/v1/traces"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:1/in/"}, "http://c:1/in/v1/traces"),
        ({**BASE, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:1/t"}, "http://c:1/t"),
    ],
)
def test_the_address_of_a_collector(environ: dict[str, str], endpoint: str) -> None:
    """The standard adds a path to the address for all signals, and none to that for traces."""
    assert traces.endpoint_of(environ) == endpoint


def test_values_of_headers_are_secrets() -> None:
    """As they are written and as they are sent, but not what is too short to be one."""
    environ = {"OTEL_EXPORTER_OTLP_HEADERS": "authorization=Basic%20c2VjcmV0, tenant=1"}
    assert traces.header_values(environ) == {"Basic%20c2VjcmV0", "Basic c2VjcmV0"}


_RUN = """
import sys
from unmoor.cli.output import listeners
from unmoor.ci.github_actions import RunContext
from unmoor.core.pipeline import Pipeline
from unmoor.core.scheduler import Run
from unmoor.core.stage import Reach
chosen = listeners(RunContext.from_environ({}), progress="none")
Run(pipeline=Pipeline(()), world="real", rehearsal=False, ceiling=Reach.READS, listeners=chosen).execute()
print(*(each for each in sys.modules if each.startswith(("opentelemetry", "google"))))
"""


def ran(**environ: str) -> subprocess.CompletedProcess[str]:
    """Run an empty pipeline in a process of its own, with these variables."""
    usual = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    return subprocess.run(
        [sys.executable, "-c", _RUN], env=usual | environ, capture_output=True, text=True, check=True, timeout=60
    )


def test_nothing_is_imported_elsewhere() -> None:
    """A run without a collector imports nothing of OpenTelemetry."""
    assert ran().stdout.split() == []


def test_a_process_sends_its_trace_and_ends() -> None:
    """The span of the run is there when the process has ended. With a dead collector it ends just so."""
    with collecting() as collector:
        assert not ran(OTEL_EXPORTER_OTLP_ENDPOINT=collector.server.url).stderr
    run = collector.spans["release"]
    assert values(run).items() >= {"unmoor.world": "real", "unmoor.exit_code": 0}.items()
    told = ran(**BASE).stderr
    assert told.startswith("warning: the trace of this run is incomplete: http://127.0.0.1:9/v1/traces: ")
    assert told.count("\n") == 1
