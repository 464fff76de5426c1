"""Sends a trace of a run where the standard variables of OpenTelemetry name a collector. Elsewhere imports nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import unquote

from unmoor.core.events import Listener

_EXTRA = 'pip install "unmoor[traces]"'
_PROTOCOL = "http/protobuf"
_SHORTEST_SECRET = 6


def listeners(environ: Mapping[str, str], warn: Callable[[str], object]) -> tuple[Listener, ...]:
    """Return the listener that sends a trace, none if that is off or impossible; the latter is a warning.

    Source: the specification of OpenTelemetry, "Environment Variable Specification" and "OTLP Exporter Configuration".
    """
    endpoint = endpoint_of(environ)
    if not endpoint or _value(environ, "OTEL_SDK_DISABLED").lower() == "true":
        return ()
    if not wants_otlp(environ):
        return ()
    protocol = _value(environ, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or _value(environ, "OTEL_EXPORTER_OTLP_PROTOCOL")
    if protocol and protocol != _PROTOCOL:
        warn(f"no trace is sent: OTEL_EXPORTER_OTLP_PROTOCOL asks for {protocol!r}, and unmoor has only {_PROTOCOL}")
        return ()
    try:
        import opentelemetry.exporter.otlp.proto.http
        import opentelemetry.sdk.trace  # noqa: F401
    except ImportError:
        warn(f"no trace is sent: OTEL_EXPORTER_OTLP_ENDPOINT is set, but not the extra for it installed: {_EXTRA}")
        return ()
    return _listening(endpoint, environ, warn)


def _listening(endpoint: str, environ: Mapping[str, str], warn: Callable[[str], object]) -> tuple[Listener, ...]:
    from unmoor.adapters.otlp import SpanSender
    from unmoor.diagnostics.privacy import redaction
    from unmoor.errors import UnmoorError
    from unmoor.render.traces import Traces, parent_of
    from unmoor.util.secret import Secret

    try:
        sender = SpanSender(endpoint)
        tracer = sender.tracer()
    except UnmoorError as error:
        warn(f"no trace is sent: OTEL_EXPORTER_OTLP_ENDPOINT is no address of a collector: {error}")
        return ()
    except Exception as error:  # noqa: BLE001 - the SDK refuses variables in many ways, and a release goes on without
        warn(f"no trace is sent: the SDK refuses the variables that begin with OTEL_ ({type(error).__name__})")
        return ()
    given = _value(environ, "TRACEPARENT")
    parent = parent_of(given, environ.get("TRACESTATE", "")) if given else None
    if given and parent is None:
        warn("TRACEPARENT is not that of a trace (W3C Trace Context): this run begins a trace of its own")
    return (
        Traces(
            tracer=tracer,
            parent=parent,
            redact=redaction(environ, secrets=map(Secret, header_values(environ))),
            finish=sender.finish,
            warn=warn,
        ),
    )


def endpoint_of(environ: Mapping[str, str]) -> str:
    """Return the address that the standard variables give for traces, empty if they give none."""
    if own := _value(environ, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
        return own
    base = _value(environ, "OTEL_EXPORTER_OTLP_ENDPOINT")
    return f"{base.removesuffix('/')}/v1/traces" if base else ""


def header_values(environ: Mapping[str, str]) -> frozenset[str]:
    """Return the values of the headers for a collector, as they are written and as they are sent: most are secrets."""
    names = ("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS")
    pairs = (pair for name in names for pair in environ.get(name, "").split(","))
    values = {pair.partition("=")[2].strip() for pair in pairs}
    return frozenset(each for each in values | set(map(unquote, values)) if len(each) >= _SHORTEST_SECRET)


def wants_otlp(environ: Mapping[str, str]) -> bool:
    """Whether traces go to a collector: not if the exporters are set, to ``none`` or to others."""
    exporters = _value(environ, "OTEL_TRACES_EXPORTER")
    return not exporters or "otlp" in {each.strip() for each in exporters.split(",")}


def _value(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name, "").strip()
