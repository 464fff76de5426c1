"""Downloads: written to a temporary file, hashed, and renamed only if the hash matches."""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from pathlib import Path

import requests

from unmoor.adapters.http.limits import DeadlineWatch
from unmoor.adapters.http.urls import without_query
from unmoor.errors import Conflict, Denied, Unknown
from unmoor.products import File
from unmoor.util.files import atomic_writer
from unmoor.util.text import clean


def require_ok(response: requests.Response, where: str) -> None:
    """Check that the status is 200. Raises `Denied` for 401 and 403, `Unknown` for any other status."""
    status = response.status_code
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        raise Denied(
            f"the server denies access ({status})",
            where=where,
            next_step="check the rights of the credential, and whether the address is public",
        )
    if status != HTTPStatus.OK:
        raise Unknown(
            f"the server answered {status} {clean(str(response.reason or ''))}".rstrip(),
            where=where,
            otherwise="open the address in a browser",
        )


def _must_match(name: str, sha256: str, expected: str | None, where: str) -> None:
    if expected is not None and sha256 != expected.lower():
        raise Conflict(
            f"{name} has sha256 {sha256}, expected {clean(expected, 80)}",
            where=where,
            next_step="do not use it; find out who changed the file on the server",
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
