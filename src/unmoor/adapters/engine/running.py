"""Run containers to their end, without network and within limits, and always remove them."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import msgspec

from unmoor import advice
from unmoor.adapters.engine.connection import Connection, engine_error
from unmoor.adapters.process.process_system import LABEL
from unmoor.errors import Cause, Incomplete, TimedOut
from unmoor.ports.exit_codes import killed_by
from unmoor.ports.failure import failure
from unmoor.ports.shell import Ran
from unmoor.util.text import clean

PIDS = 256
_OUT, _ERR = 1, 2
# A shell's exit codes for a command that it cannot run, or cannot find.
_CANNOT_RUN, _NOT_FOUND = 126, 127


class Job(msgspec.Struct, frozen=True, kw_only=True):
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
        return _run_to_end(connection, container, job)


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
        created = api.create_container(
            job.image,
            list(job.command) or None,
            entrypoint=None if job.entrypoint is None else [job.entrypoint],  # [""] resets it
            host_config=limits,
            labels={LABEL: connection.processes.run},
            use_config_proxy=False,
        )
        return str(created["Id"])

    try:
        container = connection.ask(create, what=f"a container of {job.image}")
    except LookupError as error:
        raise Incomplete(f"the engine has no image {job.image}: the next run builds it again") from error
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


def _run_to_end(connection: Connection, container: str, job: Job) -> Ran:
    """Start it and read what it prints until it ends. Raises `TimedOut`."""
    deadline = time.monotonic() + job.timeout
    try:
        output, refusal = _read_output(connection, container, job)
        err = output[_ERR]
        code = _not_started(refusal, err) if refusal else _exit_code(connection, container, deadline, err)
    except TimeoutError as error:
        raise TimedOut(str(error), next_step=advice.PRINT_LESS(), retryable=False) from None
    except TimedOut:
        raise TimedOut(
            f"it ran for more than {job.timeout:g} s and was stopped",
            next_step=advice.ALLOW_COMMAND_MORE_TIME(),
            retryable=False,
        ) from None
    out_text, err_text = (output[stream].decode(errors="replace") for stream in (_OUT, _ERR))
    args = (*(() if job.entrypoint is None else (job.entrypoint,)), *job.command)
    return Ran(args=args, code=code, out=out_text, err=err_text)


class _Attachment:
    """The socket of a container's output, which one thread reads and another may shut down."""

    def __init__(self, opened: Any) -> None:
        self.opened = opened
        self._lock = threading.Lock()

    def cut(self) -> None:
        """End the read. The engine cannot remove a container whose output is attached but not read."""
        with self._lock, contextlib.suppress(OSError, ValueError, AttributeError):
            twin = socket.socket(fileno=os.dup(self.opened.fileno()))
            with contextlib.closing(twin):
                twin.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the socket through the HTTP response that it belongs to: the SDK closes neither."""
        with self._lock, contextlib.suppress(OSError, ValueError):
            getattr(self.opened, "_response", self.opened).close()


def _read_output(connection: Connection, container: str, job: Job) -> tuple[dict[int, bytearray], str]:
    """Return everything a container prints, by stream, or why it did not start.

    Raises `TimedOut` at the time-out, ``TimeoutError`` if it prints more than the limit.
    """
    attached: list[_Attachment] = []
    refusals: list[str] = []

    def frames(api: Any) -> Iterator[tuple[int, bytes]]:
        from docker.errors import APIError
        from docker.utils import socket as sockets

        # Attach before it starts, to miss no output.
        attachment = _Attachment(api.attach_socket(container, {"stdout": 1, "stderr": 1, "stream": 1}))
        attached.append(attachment)
        with contextlib.closing(attachment):
            try:
                api.start(container)
            except APIError as error:
                refusals.append(clean(str(error.explanation)) or "the engine does not say why")
                return
            frames_iter: Any = sockets.frames_iter
            yield from frames_iter(attachment.opened, tty=False)

    output: dict[int, bytearray] = {_OUT: bytearray(), _ERR: bytearray()}
    try:
        with contextlib.closing(connection.follow(frames, what="the container", timeout=job.timeout)) as chunks:
            for stream, chunk in chunks:
                output[stream] += chunk
                if len(output[stream]) > job.limit:
                    raise TimeoutError(f"it printed more than {job.limit} bytes and was stopped")
    finally:
        for attachment in attached:
            attachment.cut()
    return output, refusals[0] if refusals else ""


def _exit_code(connection: Connection, container: str, deadline: float, err: bytearray) -> int:
    """Wait for the container and return its exit code. Its output may end earlier.

    Raises `TimedOut`, and `ToolMissing` if a signal from outside ended it. Its own memory limit is no such signal.
    """

    def wait(api: Any) -> Iterator[tuple[int, bool]]:
        code = int(api.wait(container)["StatusCode"])
        yield code, bool(api.inspect_container(container)["State"].get("OOMKilled"))

    within = max(deadline - time.monotonic(), 1.0)
    with contextlib.closing(connection.follow(wait, what="the container", timeout=within)) as answers:
        for code, out_of_memory in answers:
            if out_of_memory:
                err += b"\nit was killed because it used more memory than allowed\n"
            elif number := killed_by(code):
                raise failure(Cause.KILLED, f"the container was killed by signal {number} on the engine's machine")
            return code
    raise engine_error(ValueError("no exit code"), what="the container")


def _not_started(reason: str, err: bytearray) -> int:
    """Return a shell's exit code for a command that did not start. Raises `Unknown` if the engine is at fault."""
    err += reason.encode()
    if "permission denied" in reason:
        return _CANNOT_RUN
    if "executable file not found" in reason or "no such file or directory" in reason:
        return _NOT_FOUND
    raise engine_error(ValueError(reason), what="could not start the container")
