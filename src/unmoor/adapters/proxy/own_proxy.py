"""An HAProxy of a rehearsal's own, with ports that were free, which ends with the run. It reads no configured file."""

from __future__ import annotations

import contextlib
import os
import socket
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from unmoor.adapters.process.places import find_service_program
from unmoor.adapters.process.supervisor import Processes
from unmoor.adapters.proxy.runtime_api import HaProxy
from unmoor.deploy.service.proxy_config import proxy_config
from unmoor.errors import UnmoorError
from unmoor.filesystem.temporary import temporary_folder
from unmoor.ports.clock import Clock
from unmoor.util.text import clean

_LOOPBACK = "127.0.0.1"
_FRONTEND = """
frontend unmoor-rehearsal
  mode http
  bind {address}
  default_backend {backend}
"""


@dataclass(frozen=True, kw_only=True)
class OwnProxy:
    """A running HAProxy: its API, the loopback ports of the slots, and the address of its frontend.

    ``stop`` ends it, at once; without a call it ends with this process.
    """

    api: HaProxy
    slots: Mapping[str, int]
    address: str
    stop: Callable[[], object] = field(repr=False, compare=False)


def find_haproxy(environ: Mapping[str, str]) -> str:
    """The path of the program, empty if it is not installed."""
    return find_service_program("haproxy", environ)


def start_own_proxy(
    program: str, service: str, slots: Mapping[str, int], check: str, *, processes: Processes, clock: Clock
) -> OwnProxy:
    """Start HAProxy for a service, with a state file like a real one. Raises `Unknown` with what it printed."""
    stack = contextlib.ExitStack()
    folder = stack.enter_context(temporary_folder())
    own = free_ports([*slots, ""])
    front = own.pop("")
    # A socket's path has at most 108 bytes, which the usual folder for temporary files leaves room for.
    api = HaProxy(
        service=service,
        socket=str(folder / "api.sock"),
        state_file=str(folder / "servers.state"),
        backend=service,
        clock=clock,
    )
    address = f"{_LOOPBACK}:{front}"
    text = proxy_config(service, own, backend=service, socket=api.socket, state=api.state_file, check=check)
    config, log = folder / "haproxy.cfg", folder / "haproxy.log"
    config.write_text(text + _FRONTEND.format(address=address, backend=service), encoding="utf-8", newline="\n")
    environ = {"PATH": os.environ.get("PATH", "")}
    child = processes.start((program, "-db", "-f", str(config)), cwd=folder, env=environ, log=log)
    stack.callback(child.end)
    stop = weakref.finalize(api, stack.close)  # at the latest when this process ends
    try:
        api.look()
    except UnmoorError as error:
        said = log.read_text(encoding="utf-8", errors="replace").splitlines()
        stop()
        raise error.amended(also=f"haproxy printed: {clean(said[-1])}" if said else "") from error
    return OwnProxy(api=api, slots=own, address=f"http://{address}/", stop=stop)


def free_ports(names: list[str]) -> dict[str, int]:
    """A loopback port for each name, on which nothing listens now."""
    with contextlib.ExitStack() as stack:
        opened = {name: stack.enter_context(socket.socket()) for name in names}
        for each in opened.values():
            each.bind((_LOOPBACK, 0))
        return {name: int(each.getsockname()[1]) for name, each in opened.items()}
