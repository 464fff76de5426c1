"""One fault in the n-th exchange of a process, below everything that unmoor does with HTTP."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from urllib3.response import HTTPResponse

Fault = Callable[[requests.Response], requests.Response]


def answer(
    status: int, body: bytes = b"", *, kind: str = "text/html", headers: Mapping[str, str] | None = None
) -> Fault:
    """Replace the answer."""
    named = {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}
    return lambda real: _like(real, status, body, named)


def cut(real: requests.Response) -> requests.Response:
    """Let the body end early, although its length says more."""
    body = real.raw.read(decode_content=False)
    headers = {**real.headers, "Content-Length": str(len(body) or 9)}
    return _like(real, real.status_code, body[: len(body) // 2], headers)


def damaged(real: requests.Response) -> requests.Response:
    """Change a byte of the body."""
    body = bytearray(real.raw.read(decode_content=False))
    if body:
        body[len(body) // 2] ^= 1
    return _like(real, real.status_code, bytes(body), real.headers)


def reset(real: requests.Response) -> requests.Response:
    """Break the connection."""
    real.close()
    raise requests.ConnectionError("reset")


def none(real: requests.Response) -> requests.Response:
    """Change nothing."""
    return real


FAULTS: dict[str, Fault] = {
    "500": answer(500),
    "502 in HTML": answer(502, b"<html>"),
    "503 that asks": answer(503, headers={"Retry-After": "7"}),
    "429 that asks": answer(429, headers={"Retry-After": "7"}),
    "a login page": answer(200, b"<html><form><input></form></html>"),
    "nothing": answer(200),
    "an early end": cut,
    "another byte": damaged,
    "a reset": reset,
}


def _like(real: requests.Response, status: int, body: bytes, headers: Mapping[str, str]) -> requests.Response:
    """Return an answer with another status, body and headers to the same request."""
    real.close()
    made = requests.Response()
    made.status_code, made.url, made.request, made.reason = status, real.url, real.request, "a fault"
    made.headers.update(headers)
    made.raw = HTTPResponse(io.BytesIO(body), headers=dict(headers), status=status, preload_content=False)
    made.raw.enforce_content_length = True
    return made


@dataclass
class OneFault:
    """Counts exchanges, and puts the fault into one of them. ``at`` is its number from 0; -1 means none."""

    fault: Fault = none
    at: int = -1
    count: int = 0

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Wrap the method of requests that sends."""
        send = requests.adapters.HTTPAdapter.send

        def wrapped(adapter: Any, request: requests.PreparedRequest, **options: Any) -> requests.Response:
            real = send(adapter, request, **options)
            self.count += 1
            return self.fault(real) if self.count - 1 == self.at else real

        monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", wrapped)

    def again(self, fault: Fault, at: int) -> None:
        """Start to count again, for another fault."""
        self.fault, self.at, self.count = fault, at, 0
