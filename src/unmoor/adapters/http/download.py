"""Downloads: written to a temporary file, hashed, and renamed only if the hash matches."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

import requests

from unmoor import advice
from unmoor.adapters.http.limits import DeadlineWatch
from unmoor.adapters.http.retry_after import Retries, ServerBusy, is_busy, requested_wait, second_look, time_to_wait
from unmoor.adapters.http.urls import without_query
from unmoor.errors import Cause, Conflict, Denied, Unknown
from unmoor.filesystem.files import atomic_writer
from unmoor.ports.clock import Clock
from unmoor.ports.failure import failure
from unmoor.products import File
from unmoor.util.text import clean

_RETRIES = Retries(patience=90.0)
# Seconds to wait for a busy server that does not say how long.
_DEFAULT = 5.0


def repeated(download: Callable[[], File], clock: Clock | None) -> File:
    """Download again if the transfer fails, or once more if the bytes are not the expected ones.

    Without a clock, nothing is repeated. Raises as `BoundedSession.download` does.
    """
    if clock is None:
        return download()
    return second_look(lambda: _RETRIES.call(download, clock))


def require_ok(response: requests.Response, where: str) -> None:
    """Check that the status is 200. Raises `Denied` for 401 and 403, `Unknown` for any other status."""
    status = response.status_code
    asked = requested_wait(response.headers)
    if is_busy(status, asked):
        what = f"the server asks to retry later ({status})"
        raise ServerBusy(what, where=where, wait=time_to_wait(asked, default=_DEFAULT))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise failure(Cause.LOST, f"the server answered {status}", where=where, wait=asked or 0.0)
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        raise Denied(
            f"the server denies access ({status})",
            where=where,
            next_step=advice.CHECK_DOWNLOAD_RIGHTS(),
        )
    if status != HTTPStatus.OK:
        raise Unknown(
            f"the server answered {status} {clean(str(response.reason or ''))}".rstrip(),
            where=where,
            otherwise=advice.OPEN_ADDRESS(),
        )


def _must_match(name: str, sha256: str, expected: str | None, where: str) -> None:
    if expected is not None and sha256 != expected.lower():
        raise Conflict(
            f"{name} has sha256 {sha256}, expected {clean(expected, 80)}",
            where=where,
            next_step=advice.REJECT_CHANGED_FILE(),
        )


def save_to(watch: DeadlineWatch, response: requests.Response, into: Path, name: str, sha256: str | None) -> File:
    """Write the body to a temporary file, hash it on the way, and rename it if the hash matches."""
    url = str(response.url)
    digest = hashlib.sha256()
    count = 0
    with atomic_writer(into / name) as stream:
        for chunk in watch.read_chunks(response, url, decode=False):
            stream.write(chunk)
            digest.update(chunk)
            count += len(chunk)
        _must_match(name, digest.hexdigest(), sha256, without_query(url))
    return File(name=name, sha256=digest.hexdigest(), size=count, path=into / name)
