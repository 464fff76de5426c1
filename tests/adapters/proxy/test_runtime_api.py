"""A real HAProxy is asked, changed and read back over its socket; what is wrong with the socket is one message."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.systems import posix

from unmoor.adapters.clock import MonotonicClock
from unmoor.adapters.process.supervisor import Processes
from unmoor.adapters.proxy import HaProxy
from unmoor.adapters.proxy.own_proxy import OwnProxy, find_haproxy, start_own_proxy
from unmoor.errors import ConfigError, Denied, Refused, Rejected, Unknown, UnmoorError
from unmoor.ports.proxy import Admin
from unmoor.util.values import replace

pytestmark = posix


@pytest.fixture
def clock() -> Iterator[MonotonicClock]:
    """Give a clock."""
    with Processes() as processes:
        yield MonotonicClock(processes=processes)


@pytest.fixture
def own(clock: MonotonicClock) -> Iterator[OwnProxy]:
    """Give a running HAProxy."""
    program = find_haproxy(os.environ)
    if not program:
        pytest.skip("haproxy is not installed")
    slots = {"blue": 0, "green": 0}
    proxy = start_own_proxy(program, "web", slots, "/health", processes=clock.processes, clock=clock)
    yield proxy
    proxy.stop()


def test_a_change_is_read_back_and_saved(own: OwnProxy) -> None:
    """The state file is whole, names every server, and replaces only one like it."""
    api, file = own.api, Path(own.api.state_file)
    state = api.look()
    assert [each.name for each in state.servers] == ["blue", "green", "blue-spare", "green-spare"]
    assert {each.admin for each in state.servers} == {Admin.READY}
    for admin in (Admin.DRAIN, Admin.MAINT, Admin.READY, Admin.MAINT):
        api.set_admin("green", admin)
        seen = api.look().server("green")
        assert seen is not None
        assert seen.admin is admin
    api.check_saving()
    assert not file.exists()
    api.save()
    assert file.read_text().count("\n") == 6
    api.save()
    file.write_text("root:x:0:0\n")
    for write in (api.check_saving, api.save):
        with pytest.raises(Refused, match="is no state file of HAProxy, so it is not replaced"):
            write()
    assert file.read_text() == "root:x:0:0\n"


@pytest.mark.parametrize(
    ("change", "kind", "says"),
    [
        ({"backend": "other"}, ConfigError, "the proxy has no backend other"),
        ({"backend": "web; shutdown"}, ConfigError, "'web; shutdown' is no name of a backend or a server"),
        ({"backend": "web\nshow env"}, ConfigError, "is no name"),
        ({"socket": "/nowhere/api.sock"}, Unknown, "no proxy listens on this socket: No such file"),
    ],
    ids=["backend", "command", "line", "socket"],
)
def test_a_wrong_place(own: OwnProxy, change: dict[str, Any], kind: type[UnmoorError], says: str) -> None:
    """It is one message with a next step, and nothing but a name reaches the socket."""
    with pytest.raises(kind, match=says) as caught:
        replace(own.api, **change).look()
    assert caught.value.next_step


@pytest.mark.parametrize("end", ["breaks", "silent"])
def test_a_proxy_that_ends_with_the_command(own: OwnProxy, monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    """A change that a proxy took to its grave is made at the next one."""
    exchange = HaProxy._exchange
    lost: list[str] = []

    def lose(self: HaProxy, command: str) -> bytes:
        if command.startswith("set") and not lost:
            lost.append(command)
            if end == "breaks":
                raise ConnectionResetError(104, "Connection reset by peer")
            return b""
        return exchange(self, command)

    monkeypatch.setattr(HaProxy, "_exchange", lose)
    own.api.set_admin("green", Admin.DRAIN)
    seen = own.api.look().server("green")
    assert lost == ["set server web/green state drain"]
    assert seen is not None
    assert seen.admin is Admin.DRAIN


def test_a_server_that_is_not_there(own: OwnProxy) -> None:
    """HAProxy's own words are the reason."""
    with pytest.raises(Rejected, match="does not set red to maint: No such server"):
        own.api.set_admin("red", Admin.MAINT)


def test_a_state_file_in_no_folder(own: OwnProxy) -> None:
    """It is reported before anything changes; without a state file nothing is written."""
    with pytest.raises(Denied, match="there is no folder /nowhere"):
        replace(own.api, state_file="/nowhere/state").check_saving()
    replace(own.api, state_file="").save()


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"", "the connection to the proxy broke: it ended without an answer"),
        (b"Name: other\n", "cannot read the proxy's answer"),
        (b"Permission denied\n", "the proxy's socket does not allow 'show info'"),
        (b"\xff\xfe\x00", "cannot read the proxy's answer"),
        (None, "no complete answer to 'show info' within 0.2 s"),
    ],
    ids=["nothing", "other", "level", "bytes", "drip"],
)
def test_another_server_on_the_socket(clock: MonotonicClock, tmp_path: Path, answer: bytes | None, says: str) -> None:
    """Whatever it answers, and if it answers drop by drop, the error names the socket."""
    path = str(tmp_path / "s")
    done = threading.Event()
    family: int = vars(socket)["AF_UNIX"]  # Windows has none
    with socket.socket(family) as listening:
        listening.bind(path)
        listening.listen()

        def serve() -> None:
            while not done.is_set():
                try:
                    opened, _ = listening.accept()
                except OSError:
                    return
                with opened:
                    opened.recv(100)
                    if answer is not None:
                        opened.sendall(answer)
                    while answer is None and not done.wait(0.05):
                        try:
                            opened.sendall(b".")
                        except OSError:
                            break

        thread = threading.Thread(target=serve)
        thread.start()
        api = HaProxy(service="web", socket=path, state_file="", backend="web", clock=clock, patience=0.2)
        try:
            with pytest.raises((Unknown, Denied), match=says) as caught:
                api.look()
        finally:
            done.set()
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()
    assert path in str(caught.value)
