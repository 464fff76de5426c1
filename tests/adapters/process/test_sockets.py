"""Tests of sockets that are files, and of options of ports."""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.systems import posix

from unmoor.adapters.process.sockets import connect_to_file, hold_port, open_file_connection, reset_when_closed
from unmoor.ports.system import LINUX, MACOS, WINDOWS, System

Connect = Callable[..., object]


def _open(path: str, **options: int | None) -> None:
    async def connect() -> None:
        _, writer = await open_file_connection(path, limit=1 << 16, **options)
        writer.close()

    asyncio.run(connect())


def _connect(path: str, **options: int | None) -> None:
    connect_to_file(path, timeout=5.0, **options).close()


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[Path]:
    """The path of a socket that accepts connections."""
    if sys.platform != "win32":
        path = tmp_path / "socket"
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(str(path))
            made.listen()
            yield path
    else:
        raise NotImplementedError


@posix
@pytest.mark.parametrize("connect", [_connect, _open])
def test_a_socket_that_is_a_file(connect: Connect, listening: Path) -> None:
    """Both ways to connect reach a socket by its path."""
    connect(str(listening))


@posix
@pytest.mark.parametrize("connect", [_connect, _open])
@pytest.mark.parametrize(
    ("name", "options", "number"),
    [
        ("socket", {"family": None}, errno.EAFNOSUPPORT),
        ("absent", {}, errno.ENOENT),
        (".", {}, errno.ECONNREFUSED),
    ],
)
def test_no_socket(connect: Connect, listening: Path, name: str, options: dict[str, None], number: int) -> None:
    """A Python without such sockets, as on Windows, is told like any other socket that cannot be reached."""
    with pytest.raises(OSError, match=r".") as caught:
        connect(str(listening.parent / name), **options)

    assert caught.value.errno == number


class Options(dict[int, int | bytes]):
    """Records the options of a socket."""

    def setsockopt(self, level: int, option: int, value: int | bytes, /) -> None:
        """Record an option."""
        assert level == socket.SOL_SOCKET
        self[option] = value


@pytest.mark.parametrize(("exclusive", "option"), [(None, socket.SO_REUSEADDR), (-5, -5)])
def test_a_port_is_never_shared(exclusive: int | None, option: int) -> None:
    """Where an option forbids others to take the port over, as on Windows, it is the one that is set."""
    options = Options()

    hold_port(options, exclusive=exclusive)

    assert options == {option: 1}


def test_a_port_that_is_held_is_refused_to_others() -> None:
    """On this system, nobody else can listen on the port of a listening socket with the same option."""
    with socket.socket() as first, socket.socket() as second:
        hold_port(first)
        first.bind(("127.0.0.1", 0))
        first.listen()
        hold_port(second)
        with pytest.raises(OSError, match=r".") as caught:
            second.bind(first.getsockname())

    assert caught.value.errno in {errno.EADDRINUSE, errno.EACCES}


@pytest.mark.parametrize(("system", "layout"), [(LINUX, "ii"), (MACOS, "ii"), (WINDOWS, "HH")])
def test_a_reset_in_the_layout_of_the_system(system: System, layout: str) -> None:
    """A time to linger of zero seconds is written as the system's own structure."""
    options = Options()

    reset_when_closed(options, system=system)

    assert options == {socket.SO_LINGER: struct.pack(layout, 1, 0)}
