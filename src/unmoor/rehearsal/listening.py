"""The sockets of the local world's servers: each listens on the port that it had before, if that is still free."""

from __future__ import annotations

import errno
import json
import socket
from collections.abc import Iterable
from pathlib import Path

import msgspec

from unmoor import advice
from unmoor.adapters.process.sockets import hold_port
from unmoor.errors import Unknown
from unmoor.filesystem.files import write_atomic

PORTS = "ports.json"
"""The file in the world's folder with the port of each server."""
BACKLOG = 128
_FIRST, _LAST = 1024, 65535
# Why a port is not available: somebody listens there, or has a connection from it, or the system keeps it.
_TAKEN = frozenset({errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL})


class Listening(msgspec.Struct, frozen=True, kw_only=True):
    """The servers by name: their sockets, and their addresses without a slash at the end.

    ``moved`` has the former ports of those that now have another.
    """

    sockets: dict[str, socket.socket]
    addresses: dict[str, str]
    moved: dict[str, int]


def listen(folder: Path, names: Iterable[str]) -> Listening:
    """Open a listening socket on 127.0.0.1 for each server of the world in a folder, and remember the ports.

    A server gets its former port. If another program has taken that, or the server is new, the system chooses one.
    Raises `Unknown` if the file with the ports is broken.
    """
    path = folder / PORTS
    former = _read(path)
    sockets: dict[str, socket.socket] = {}
    moved: dict[str, int] = {}
    for name in names:
        made = _open(former[name]) if name in former else None
        if made is None:
            made = _open(0)
            moved |= {name: former[name]} if name in former else {}
        if made is None:
            raise Unknown("there is no free port on 127.0.0.1", otherwise=advice.CLOSE_CONNECTIONS())
        sockets[name] = made
    ports = former | {name: made.getsockname()[1] for name, made in sockets.items()}
    if ports != former:
        write_atomic(path, json.dumps(ports, indent=2).encode(), mode=0o600)
    addresses = {name: f"http://127.0.0.1:{ports[name]}" for name in sockets}
    return Listening(sockets=sockets, addresses=addresses, moved=moved)


def _read(path: Path) -> dict[str, int]:
    try:
        ports = msgspec.json.decode(path.read_bytes(), type=dict[str, int])
    except FileNotFoundError:
        return {}
    except msgspec.DecodeError:
        ports = {"": 0}
    if not all(_FIRST <= port <= _LAST for port in ports.values()):
        raise Unknown("the file is broken", where=str(path), next_step=advice.REMOVE_FILE())
    return ports


def _open(port: int) -> socket.socket | None:
    """Listen on a port, 0 for any; ``None`` if it is taken."""
    # asyncio turns Nagle's algorithm off only if the protocol is given; with it, each answer takes 40 ms.
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    hold_port(made)  # the former run's connections keep its ports busy for a minute
    try:
        made.bind(("127.0.0.1", port))
        made.listen(BACKLOG)
    except OSError as error:
        made.close()
        if error.errno not in _TAKEN:
            raise
        return None
    made.set_inheritable(False)
    return made
