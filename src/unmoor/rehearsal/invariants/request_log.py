"""The log of requests that the servers of a world have answered, in order."""

from __future__ import annotations

import re
from http import HTTPStatus
from pathlib import Path

import msgspec

from unmoor.filesystem.files import read_regular
from unmoor.util.decode import decode_json

NAME = "requests.jsonl"
_LIMIT = 256 << 20
_MANIFEST = re.compile(r"/v2/(?P<name>.+)/manifests/(?P<reference>[^/]+)")
_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class LoggedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One line: the server, the request, the status, and what the server noted. ``start`` is where the line begins.

    ``at`` is when the request came in, in seconds since 1970.
    """

    server: str
    method: str
    path: str
    status: int
    start: int = 0
    at: float = 0.0
    retry_after: float | None = None
    outcome: str = ""
    file: str = ""
    sha256: str = ""
    host: str = ""
    digest: str = ""
    release: int = 0
    tag: str = ""
    draft: bool | None = None
    prerelease: bool | None = None
    latest: bool | None = None
    removed: str = ""

    @property
    def writes(self) -> bool:
        """Whether the request asks to change something."""
        return self.method in _WRITES

    @property
    def done(self) -> bool:
        """Whether the server did what it was asked to, whatever the client learned of it."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES and self.outcome != "refused"

    @property
    def manifest(self) -> tuple[str, str] | None:
        """The name and the tag or digest of an image, if the request is about a manifest of a registry."""
        found = _MANIFEST.fullmatch(self.path) if self.server == "registry" else None
        return (found["name"], found["reference"]) if found else None

    @property
    def where(self) -> str:
        """The request, for a message."""
        return f"{self.server}: {self.method} {self.path} (byte {self.start} of {NAME})"


def read_log(world: Path) -> tuple[LoggedRequest, ...]:
    """Read every whole line; none if there is no log. Raises `ValueError` for a line that is no request, `OSError`."""
    try:
        data = read_regular(world / NAME, _LIMIT)
    except FileNotFoundError:
        return ()
    if len(data) > _LIMIT:
        msg = f"{NAME} has more than {_LIMIT} bytes"
        raise ValueError(msg)
    found, start = [], 0
    for line in data.splitlines(keepends=True):
        if line.endswith(b"\n"):
            found.append(msgspec.structs.replace(decode_json(line, LoggedRequest), start=start))
        start += len(line)
    return tuple(found)
