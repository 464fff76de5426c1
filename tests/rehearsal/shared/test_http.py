"""The servers of a local world say that their disk is full, and their log never stops an answer."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from unmoor.rehearsal.shared import http
from unmoor.rehearsal.shared.http import Logged, answer_full


def app(number: int) -> Starlette:
    """Return an app whose writes fail with an error number; reads work."""

    async def write(_request: Request) -> Response:
        raise OSError(number, os.strerror(number))

    async def read(_request: Request) -> Response:
        return PlainTextResponse("fine")

    routes = [Route("/", write, methods=["POST"]), Route("/", read, methods=["GET"])]
    return Starlette(routes=routes, exception_handlers={OSError: answer_full})


def status_of(served: Any, method: str) -> int:
    """Send a request to an ASGI app, and return the status of the answer."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": "/", "headers": [], "query_string": b""}
    # Starlette answers 500 and raises the error again, for the server's log.
    with contextlib.suppress(OSError):
        asyncio.run(served(scope, receive, send))
    return int(sent[0]["status"])


@pytest.mark.parametrize(("number", "status"), [(errno.ENOSPC, 507), (errno.EDQUOT, 507), (errno.EIO, 500)])
def test_a_write_that_finds_no_space(number: int, status: int) -> None:
    """Only a full disk is 507; any other error stays a fault of the server."""
    assert status_of(app(number), "POST") == status


def test_a_log_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reads work although the line for the log finds no space."""

    def full(_handle: int, _record: dict[str, object]) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(http, "append_line", full)
    log = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
    try:
        assert status_of(Logged(app(0), server="a", log=log), "GET") == 200
    finally:
        os.close(log)
