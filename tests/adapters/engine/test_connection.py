"""Which engine a connection is to: the one that is named, or else the first that answers at a usual place."""

from __future__ import annotations

import json
import socketserver
import sys
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, cast

import pytest

from unmoor.adapters.engine.building import Building
from unmoor.adapters.engine.connection import Connection
from unmoor.errors import Denied, ToolMissing

assert sys.platform != "win32"  # engines listen on sockets that are files


class Answer(BaseHTTPRequestHandler):
    """Answers as an engine that is asked for its version."""

    def do_GET(self) -> None:
        """Send the version."""
        body = json.dumps({"Version": "28.0", "ApiVersion": "1.45", "MinAPIVersion": "1.24", "Os": "linux"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        """Name no client: one of a socket that is a file has no address."""
        return "client"

    def log_message(self, *_: object) -> None:
        """Write no log."""


class EngineServer(socketserver.ThreadingUnixStreamServer):
    """A server on a socket that is a file."""

    daemon_threads = True


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder with two sockets that answer, ``one`` and ``two``, and one without a listener, ``dead``."""
    servers = [EngineServer(str(tmp_path / name), Answer) for name in ("one", "two", "dead")]
    servers.pop().server_close()
    for server in servers:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield tmp_path
    for server in servers:
        server.shutdown()
        server.server_close()


def connect(folder: Path, names: tuple[str, ...], environ: Mapping[str, str]) -> Connection:
    """Connect with some usual places, in a home without contexts."""
    addresses = tuple(f"unix://{folder / name}" for name in names)
    own = {name: value.format(folder=folder) for name, value in environ.items()}
    return Connection(processes=cast("Any", None), environ=own, addresses=addresses)


@pytest.mark.parametrize(
    ("names", "environ", "used", "found"),
    [
        (("one", "two"), {}, "one", False),
        (("absent", "one"), {}, "one", True),
        (("dead", "absent", "two", "one"), {}, "two", True),
        (("absent", "one"), {"DOCKER_HOST": "unix://{folder}/two"}, "two", False),
        (("absent", "one"), {"DOCKER_CONTEXT": "default"}, "one", True),
    ],
)
def test_the_first_engine_that_answers(
    folder: Path, names: tuple[str, ...], environ: Mapping[str, str], used: str, *, found: bool
) -> None:
    """An engine that is named is the one; then comes the default, then the usual places. Builders are told of those."""
    connection = connect(folder, names, environ)

    assert connection.address == f"unix://{folder / used}"
    assert connection.found is found
    told = Building(connection=connection, shell=cast("Any", None), timeout=1.0)._environment().get("DOCKER_HOST")
    named = environ.get("DOCKER_HOST", "").format(folder=folder)
    assert told == (connection.address if found else named or None)


@pytest.mark.parametrize(
    ("names", "environ", "what"),
    [
        (("absent", "dead"), {}, "no container engine answers at unix://{folder}/absent"),
        # A name that leads nowhere is never replaced by an engine that somebody did not mean.
        (("one",), {"DOCKER_HOST": "unix://{folder}/dead"}, "no container engine answers at unix://{folder}/dead"),
        (("one",), {"DOCKER_CONTEXT": "no-such"}, "docker has no context no-such"),
    ],
)
def test_no_engine_answers(folder: Path, names: tuple[str, ...], environ: Mapping[str, str], what: str) -> None:
    """The error names the address or the context, and what to do."""
    with pytest.raises(ToolMissing) as caught:
        connect(folder, names, environ).api()
    assert caught.value.what == what.format(folder=folder)
    assert caught.value.next_step.ids == ("install-engine", "leave-out-images")


def test_a_default_that_refuses_this_user_is_no_reason_to_take_another(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the permission for the default engine, the run says so instead of using another one."""
    refused = Connection.__module__ + "._check_socket"

    def refuse(address: str) -> None:
        if address.endswith("/locked"):
            raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(refused, refuse)
    with pytest.raises(Denied, match=r"this user may not use the engine at unix://.*/locked"):
        connect(folder, ("locked", "one"), {}).api()
