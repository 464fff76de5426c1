"""Sockets of this machine: those that are files, which Windows lacks, and ports that no other program may share."""

from __future__ import annotations

import errno
import os
import socket
import struct
from typing import TYPE_CHECKING, Final, Protocol

from unmoor.adapters.process.system import this_system
from unmoor.ports.system import WINDOWS, System

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter

# CPython has no AF_UNIX on Windows, although Windows does.
_FILES: Final[int | None] = getattr(socket, "AF_UNIX", None)
_EXCLUSIVE: Final[int | None] = getattr(socket, "SO_EXCLUSIVEADDRUSE", None)


class TakesOptions(Protocol):
    """A socket whose options can be set: one of the standard library, or of a transport of asyncio."""

    def setsockopt(self, level: int, option: int, value: int | bytes, /) -> None:
        """Set an option; see ``socket.setsockopt``."""


def connect_to_file(path: str, *, timeout: float | None = None, family: int | None = _FILES) -> socket.socket:
    """Connect to a socket that is a file (``AF_UNIX``), within ``timeout`` seconds.

    Raises ``OSError``; with ``EAFNOSUPPORT`` if Python has no such sockets on this system.
    """
    made = _socket_for(path, family)
    try:
        made.settimeout(timeout)
        made.connect(path)
    except BaseException:
        made.close()
        raise
    return made


async def open_file_connection(
    path: str, *, limit: int, family: int | None = _FILES
) -> tuple[StreamReader, StreamWriter]:
    """Connect to a socket that is a file, for asyncio; ``limit`` bytes are read ahead. Raises as `connect_to_file`."""
    import asyncio  # takes long to load, and only servers need it

    made = _socket_for(path, family)
    try:
        made.settimeout(0)
        await asyncio.get_running_loop().sock_connect(made, path)
        return await asyncio.open_connection(sock=made, limit=limit)
    except BaseException:
        made.close()
        raise


def _socket_for(path: str, family: int | None) -> socket.socket:
    if family is None:
        raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT), path)
    return socket.socket(family, socket.SOCK_STREAM)


def hold_port(listening: TakesOptions, *, exclusive: int | None = _EXCLUSIVE) -> None:
    """Let a socket listen on a port that ended connections keep busy, and never together with another program.

    POSIX has ``SO_REUSEADDR`` for the first and refuses the second anyway. On Windows that option would let any
    program take the port over; ``SO_EXCLUSIVEADDRUSE`` forbids it, and only open connections keep the port busy.
    """
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR if exclusive is None else exclusive, 1)


def reset_when_closed(connected: TakesOptions, *, system: System | None = None) -> None:
    """Make a connection end with a reset when it is closed, whatever is still to be sent."""
    # struct linger: two ints in POSIX, two unsigned shorts in Winsock.
    layout = "HH" if (system or this_system()) == WINDOWS else "ii"
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(layout, 1, 0))
