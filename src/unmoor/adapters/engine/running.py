"""Run containers to their end, without network and within limits, and always remove them."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from unmoor.adapters.engine.connection import Connection, trouble
from unmoor.adapters.process.reaper import LABEL
from unmoor.errors import Incomplete, TimedOut
from unmoor.ports.shell import Ran
from unmoor.util.text import clean

PIDS = 256
_OUT, _ERR = 1, 2
# What a shell says for a command that cannot be run, or is not there.
_CANNOT_RUN, _NOT_THERE = 126, 127


@dataclass(frozen=True, kw_only=True)
class Job:
    """One container: the image, its command, and its limits (seconds, bytes)."""

    image: str
    command: tuple[str, ...]
    entrypoint: str | None
    timeout: float
    memory: int
    limit: int


def run(connection: Connection, job: Job) -> Ran:
    """Run one container; see `unmoor.ports.engine.Engine.run`."""
    with connection.processes.containers(connection.address), _container(connection, job) as container:
        return _followed(connection, container, job)


@contextlib.contextmanager
def _container(connection: Connection, job: Job) -> Iterator[str]:
    """Create a container, and remove it at the end, running or not."""

    def create(api: Any) -> str:
        from docker.types import LogConfig

        limits = api.create_host_config(
            network_mode="none",
            mem_limit=job.memory,
            memswap_limit=job.memory,
            pids_limit=PIDS,
            security_opt=["no-new-privileges"],
            # Do not write its output to the engine's disk.
            log_config=LogConfig(type="none"),
        )
        made = api.create_container(
            job.image,
            list(job.command) or None,
            entrypoint=None if job.entrypoint is None else [job.entrypoint],  # [""] resets it
            host_config=limits,
            labels={LABEL: connection.processes.run},
            use_config_proxy=False,
        )
        return str(made["Id"])

    try:
        container = connection.ask(create, what=f"a container of {job.image}")
    except LookupError as error:
        raise Incomplete(f"the engine has no image {job.image}: the next run builds it once more") from error
    try:
        yield container
    finally:
        _remove(connection, container)


def _remove(connection: Connection, container: str) -> None:
    """Remove a container, even while the run is being stopped. If this fails, the reaper tries again."""
    from docker.errors import DockerException
    from requests import RequestException

    with contextlib.suppress(DockerException, RequestException, OSError):
        connection.api().remove_container(container, force=True, v=True)


def _followed(connection: Connection, container: str, job: Job) -> Ran:
    """Start it and read what it prints until it ends. Raises `TimedOut`."""
    deadline = time.monotonic() + job.timeout
    try:
        kept, refused = _printed(connection, container, job)
        code = _not_started(refused, kept[_ERR]) if refused else _code(connection, container, deadline, kept[_ERR])
    except TimeoutError as error:
        raise TimedOut(str(error), next_step="let the command print less", retryable=False) from None
    except TimedOut:
        raise TimedOut(
            f"it ran for more than {job.timeout:g} s and was stopped",
            next_step="find out why it takes so long, or allow it more time",
            retryable=False,
        ) from None
    out, err = (kept[stream].decode(errors="replace") for stream in (_OUT, _ERR))
    words = (*(() if job.entrypoint is None else (job.entrypoint,)), *job.command)
    return Ran(args=words, code=code, out=out, err=err)


class _Attachment:
    """The socket that a container's output comes by: read in one thread, cut off from another."""

    def __init__(self, opened: Any) -> None:
        self.opened = opened
        self._lock = threading.Lock()

    def cut(self) -> None:
        """End whatever reads. A container whose output nobody takes, and nobody gives up, could not be removed."""
        with self._lock, contextlib.suppress(OSError, ValueError, AttributeError):
            twin = socket.socket(fileno=os.dup(self.opened.fileno()))
            with contextlib.closing(twin):
                twin.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the socket, by way of the answer that it came with: the SDK closes neither."""
        with self._lock, contextlib.suppress(OSError, ValueError):
            getattr(self.opened, "_response", self.opened).close()


def _printed(connection: Connection, container: str, job: Job) -> tuple[dict[int, bytearray], str]:
    """Everything a container prints, by stream, or why it could not be started.

    Raises `TimedOut` at the time-out, ``TimeoutError`` for one that prints without end.
    """
    attached: list[_Attachment] = []
    refused: list[str] = []

    def frames(api: Any) -> Iterator[tuple[int, bytes]]:
        from docker.errors import APIError
        from docker.utils import socket as sockets

        # Attached before it starts, so that nothing it prints is missed.
        attachment = _Attachment(api.attach_socket(container, {"stdout": 1, "stderr": 1, "stream": 1}))
        attached.append(attachment)
        with contextlib.closing(attachment):
            try:
                api.start(container)
            except APIError as error:
                refused.append(clean(str(error.explanation)) or "the engine does not say why")
                return
            frames_iter: Any = sockets.frames_iter
            yield from frames_iter(attachment.opened, tty=False)

    kept: dict[int, bytearray] = {_OUT: bytearray(), _ERR: bytearray()}
    try:
        with contextlib.closing(connection.follow(frames, what="the container", timeout=job.timeout)) as pieces:
            for stream, piece in pieces:
                kept[stream] += piece
                if len(kept[stream]) > job.limit:
                    raise TimeoutError(f"it printed more than {job.limit} bytes and was stopped")
    finally:
        for attachment in attached:
            attachment.cut()
    return kept, refused[0] if refused else ""


def _code(connection: Connection, container: str, deadline: float, err: bytearray) -> int:
    """How it ended. Output may end before the container does, so it is waited for. Raises `TimedOut`."""

    def wait(api: Any) -> Iterator[tuple[int, bool]]:
        code = int(api.wait(container)["StatusCode"])
        yield code, bool(api.inspect_container(container)["State"].get("OOMKilled"))

    within = max(deadline - time.monotonic(), 1.0)
    with contextlib.closing(connection.follow(wait, what="the container", timeout=within)) as answers:
        for code, starved in answers:
            if starved:
                err += b"\nit was ended because it used more memory than it may\n"
            return code
    raise trouble(ValueError("it does not say how it ended"), what="the container")


def _not_started(told: str, err: bytearray) -> int:
    """Return a shell's exit code for a command that did not start. Raises `Unknown` if the engine is at fault."""
    err += told.encode()
    if "permission denied" in told:
        return _CANNOT_RUN
    if "executable file not found" in told or "no such file or directory" in told:
        return _NOT_THERE
    raise trouble(ValueError(told), what="the container could not be started")
