"""The ports of a world: the same again, another one if a port is taken, and none from a broken file."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from unmoor.errors import Unknown
from unmoor.rehearsal.listening import PORTS, Listening, listen

NAMES = ("pypi", "forge", "ghcr.io")


@contextmanager
def listening(folder: Path, *names: str) -> Iterator[Listening]:
    """Listen for a while."""
    found = listen(folder, names or NAMES)
    with ExitStack() as stack:
        for made in found.sockets.values():
            stack.enter_context(made)
        yield found


def test_the_same_ports_again(tmp_path: Path) -> None:
    """Each server has the port that it had, in whatever order and company it starts, even after connections to it."""
    with listening(tmp_path) as first:
        for name in NAMES:
            with socket.create_connection(first.sockets[name].getsockname()) as client:
                # The side that closes first keeps the port busy.
                first.sockets[name].accept()[0].close()
                assert client.recv(1) == b""
    with listening(tmp_path, "forge") as alone:
        assert alone.addresses == {"forge": first.addresses["forge"]}
    with listening(tmp_path, *reversed(NAMES), "new") as again:
        assert {name: again.addresses[name] for name in NAMES} == first.addresses
        assert (again.moved, len(set(again.addresses.values()))) == ({}, 4)


@pytest.mark.parametrize("how", ["listens", "is bound", "is connected from it"])
def test_a_port_that_is_taken(tmp_path: Path, how: str) -> None:
    """The server gets another port and says which one it had; that is its port from then on."""
    with listening(tmp_path) as first, socket.create_server(("127.0.0.1", 0)) as other:
        place = first.sockets["pypi"].getsockname()
        first.sockets["pypi"].close()
        with socket.socket() as taker:
            taker.bind(place)
            if how == "listens":
                taker.listen()
            if how == "is connected from it":
                taker.connect(other.getsockname())
            for name in ("forge", "ghcr.io"):
                first.sockets[name].close()
            with listening(tmp_path) as second:
                assert second.moved == {"pypi": place[1]}
                assert second.addresses["pypi"] != first.addresses["pypi"]
                assert second.addresses["forge"] == first.addresses["forge"]
    with listening(tmp_path) as third:
        assert (third.addresses, third.moved) == (second.addresses, {})


@pytest.mark.parametrize(
    "text", ["", "no JSON", "[]", '{"pypi": "x"}', '{"pypi": 22}', '{"pypi": 65536}', '{"pypi": -1}', '{"pypi": true}']
)
def test_a_broken_file_is_named(tmp_path: Path, text: str) -> None:
    """It is never taken for a new world, which would move every server without a word."""
    (tmp_path / PORTS).write_text(text)
    with pytest.raises(Unknown, match="the file is broken") as caught:
        listen(tmp_path, NAMES)
    assert caught.value.where == str(tmp_path / PORTS)


@pytest.mark.journey
def test_world_up_says_what_moved(tmp_path: Path) -> None:
    """Started again, the world has its addresses; if a port is taken, a warning names it and the new address."""

    def up() -> tuple[str, str]:
        command = [sys.executable, "-m", "unmoor", "world", "up", "--dir", str(tmp_path / "w")]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        with subprocess.Popen(command, cwd=tmp_path, **pipes) as process:  # type: ignore[call-overload]
            assert process.stdout.readline() == f"{tmp_path}/w/world.toml\n"
            text = (tmp_path / "w" / "world.toml").read_text()
            process.send_signal(signal.SIGINT)
            return text, process.communicate(timeout=20)[1]

    first, said = up()
    assert "has taken" not in said
    second, said = up()
    assert (second, "has taken" in said) == (first, False)
    port = json.loads((tmp_path / "w" / PORTS).read_text())["testpypi"]
    with socket.create_server(("127.0.0.1", port)):
        third, said = up()
    assert f"warning: another program has taken port {port}: testpypi is now at http://127.0.0.1:" in said
    assert third != first
