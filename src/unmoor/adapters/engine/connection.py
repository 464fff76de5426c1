"""The connection to an engine: find it, call the docker SDK, and translate its errors.

The SDK's client is `Any` here, since the published types cover only half of it. It blocks, and disables time-outs while
it reads a stream. So `Connection.follow` reads streams in a separate thread, and stops at a deadline or with the run.
"""

from __future__ import annotations

import contextlib
import os
import queue
import threading
import time
import weakref
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from unmoor import advice
from unmoor.adapters.engine.failures import no_room
from unmoor.adapters.process.engine_places import usual_addresses
from unmoor.adapters.process.sockets import connect_to_file
from unmoor.adapters.process.supervisor import Processes
from unmoor.errors import Cause, Denied, TimedOut, ToolMissing, Unknown, UnmoorError
from unmoor.ports.failure import failure
from unmoor.util.text import clean

T = TypeVar("T")

# Seconds for an answer that is not a stream.
PATIENCE = 60.0
_POLL = 0.1
_AHEAD = 16
_END = object()


class _Engine(msgspec.Struct, frozen=True, kw_only=True):
    """An engine's address, the SDK's settings for it, its API version, and whether it is podman.

    ``found`` says that docker's own client would look for it elsewhere.
    """

    address: str
    settings: Mapping[str, Any]
    version: str
    podman: bool
    api: Any
    found: bool = False


@dataclass(frozen=True, kw_only=True)
class Connection:
    """One engine, found the way the docker client does: DOCKER_HOST, DOCKER_CONTEXT, the current context.

    If these name none and there is none at the client's default address, it is the first that answers at ``addresses``,
    the usual ones of this system, such as that of rootless podman.
    """

    processes: Processes
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    addresses: tuple[str, ...] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)
    _engines: list[_Engine] = field(default_factory=list, repr=False, compare=False)

    def api(self) -> Any:
        """The SDK's client. Raises `ToolMissing` if no engine answers."""
        return self._engine().api

    @property
    def address(self) -> str:
        """Where the engine is: ``unix:///…``, ``tcp://…``, ``ssh://…``."""
        return self._engine().address

    @property
    def found(self) -> bool:
        """Whether programs have to be told the address: docker's own client would look elsewhere."""
        return self._engine().found

    @property
    def is_podman(self) -> bool:
        """Whether the engine is podman, which has Docker's API but builds and transfers images differently."""
        return self._engine().podman

    def _engine(self) -> _Engine:
        with self._lock:
            if not self._engines:
                addresses = self.addresses or usual_addresses(self.environ)
                self._engines.append(engine := _connected(self.environ, addresses))
                weakref.finalize(self, engine.api.close)
            return self._engines[0]

    def read(self, question: Callable[[Any], T], *, what: str) -> T:
        """Send a request that changes nothing, once more if the connection breaks. Raises as `ask` does."""
        try:
            return self.ask(question, what=what)
        except Unknown as error:
            if error.cause is not Cause.LOST:
                raise
            return self.ask(question, what=what)

    def ask(self, question: Callable[[Any], T], *, what: str, stopping: bool = False) -> T:
        """Send the engine a request that it answers at once. Raises `Unknown`, and ``LookupError`` for a 404.

        ``stopping`` also allows it while the run is being stopped.
        """
        from docker.errors import DockerException, NotFound
        from requests import RequestException

        if not stopping:
            self.processes.check()
        try:
            return question(self.api())
        except NotFound as error:
            raise LookupError(clean(str(error.explanation or error))) from error
        except (DockerException, RequestException, OSError, ValueError, KeyError) as error:
            raise engine_error(error, what=what) from error

    def follow(self, stream: Callable[[Any], Iterator[T]], *, what: str, timeout: float) -> Generator[T, None, None]:
        """Yield the items of a stream. Raises `TimedOut` after ``timeout`` seconds, `Interrupted`, `Unknown`."""
        self.processes.check()
        engine = self._engine()
        buffer: queue.Queue[object] = queue.Queue(maxsize=_AHEAD)
        closed = threading.Event()

        def items() -> Iterator[T]:
            import docker

            # A separate client: the time between two lines of a stream may exceed the time-out of an answer.
            settings = dict(engine.settings)
            api = docker.APIClient(version=engine.version, timeout=int(timeout + PATIENCE), **settings)
            with contextlib.closing(api):
                yield from stream(api)

        threading.Thread(target=_read_stream, args=(items, buffer, closed), name="engine", daemon=True).start()
        deadline = time.monotonic() + timeout
        try:
            while True:
                try:
                    item: Any = buffer.get(timeout=min(_POLL, max(deadline - time.monotonic(), 0.001)))
                except queue.Empty:
                    self.processes.check()
                    item = buffer
                if item is _END:
                    return
                if isinstance(item, UnmoorError | LookupError):
                    raise item
                if isinstance(item, Exception):
                    raise engine_error(item, what=what) from item
                if time.monotonic() > deadline:
                    raise TimedOut(
                        f"{what} took more than {timeout:g} s and was stopped",
                        next_step=advice.CHECK_ENGINE_LOG(),
                    )
                if item is not buffer:
                    yield item
        finally:
            closed.set()


def _connected(environ: Mapping[str, str], addresses: tuple[str, ...]) -> _Engine:
    """Find the engine and ask for its version. Raises `ToolMissing`, `Denied`."""
    import docker

    address = "the engine"
    try:
        settings = _named(environ)
        found = ""
        if "base_url" not in settings:
            found = next(filter(_answers, addresses[1:]), "") if _is_gone(addresses[0]) else ""
            settings["base_url"] = found or addresses[0]
        address = str(settings["base_url"]).replace("http+unix://", "unix://")
        _check_socket(address)
        api = docker.APIClient(version="auto", timeout=int(PATIENCE), **settings)
        parts = api.version().get("Components") or ()
    except (docker.errors.DockerException, OSError, ValueError) as error:
        raise _unreachable(error, address) from error
    podman = any("podman" in str(part.get("Name", "")).lower() for part in parts)
    return _Engine(
        address=address, settings=settings, version=api.api_version, podman=podman, api=api, found=bool(found)
    )


def _named(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the SDK's settings for the engine that the environment or a context names, without an address if none.

    Raises `ToolMissing` if the environment names a context that does not exist.
    """
    from docker.context import ContextAPI
    from docker.utils import kwargs_from_env

    # To the SDK, an empty environment is that of this process.
    settings: dict[str, Any] = {**kwargs_from_env(environment={"DOCKER_HOST": "", **environ})}
    if "base_url" not in settings:
        # The SDK's own reader of contexts came after 7.1.
        name = environ.get("DOCKER_CONTEXT")
        context: Any = ContextAPI.get_context(name)
        if name and context is None:
            raise _missing(f"docker has no context {clean(name, 100)}")
        if context is not None and context.Host and context is not ContextAPI.DEFAULT_CONTEXT:
            settings |= {"base_url": context.Host} | ({"tls": context.TLSConfig} if context.TLSConfig else {})
    return settings


def _is_gone(address: str) -> bool:
    """Whether nothing listens at an address, or nothing is there. One that this user may not use is not gone."""
    try:
        _check_socket(address)
    except (FileNotFoundError, ConnectionRefusedError):
        return True
    except OSError:
        return False
    return False


def _answers(address: str) -> bool:
    """Whether a local socket accepts a connection."""
    try:
        _check_socket(address)
    except OSError:
        return False
    return True


def _check_socket(address: str) -> None:
    """Check that a local socket accepts connections. Raises ``OSError``, which says more than the SDK's error."""
    if address.startswith("unix://"):
        connect_to_file(address.removeprefix("unix://"), timeout=PATIENCE).close()


def _read_stream(stream: Callable[[], Iterator[object]], buffer: queue.Queue[object], closed: threading.Event) -> None:
    """Read a stream to its end, or until the reader closes it."""
    from docker.errors import NotFound

    last: object = _END
    try:
        for item in stream():
            while not closed.is_set():
                with contextlib.suppress(queue.Full):
                    buffer.put(item, timeout=_POLL)
                    break
            if closed.is_set():
                return
    except NotFound as error:
        last = LookupError(clean(str(error.explanation or error)))
    except Exception as error:  # noqa: BLE001  # passed on to the reader
        last = error
    while not closed.is_set():
        with contextlib.suppress(queue.Full):
            buffer.put(last, timeout=_POLL)
            return


class EngineError(Unknown):
    """The engine answered with an error; ``reason`` is its message, safe to print."""

    def __init__(self, what: str, *, reason: str) -> None:
        super().__init__(f"{what}: the engine reports: {reason}", next_step=advice.CHECK_ENGINE_LOG())
        self.reason = reason


def engine_error(error: Exception, *, what: str) -> UnmoorError:
    """Return unmoor's error for an error of the SDK."""
    from requests import ConnectionError as RequestsConnectionError

    reason = clean(str(getattr(error, "explanation", None) or error)) or type(error).__name__
    if isinstance(error, UnmoorError):
        return error
    if isinstance(error, RequestsConnectionError):
        what = f"{what}: the connection to the engine broke: {reason}"
        return failure(Cause.LOST, what, next_step=advice.CHECK_ENGINE())
    if (full := no_room(reason, what)) is not None:
        return full
    return EngineError(what, reason=reason)


def _unreachable(error: Exception, address: str) -> UnmoorError:
    """Return the error for an engine that denies access, or that is not there."""
    reason = clean(str(error))
    address = clean(address, 100)
    if isinstance(error, PermissionError):
        return Denied(
            f"this user may not use the engine at {address}",
            next_step=advice.JOIN_ENGINE_GROUP().then(advice.LEAVE_OUT_IMAGES()),
        )
    if "paramiko" in reason:
        return ToolMissing(f"the engine at {address} needs paramiko for ssh", next_step=advice.INSTALL_PARAMIKO())
    return _missing(f"no container engine answers at {address}")


def _missing(what: str) -> ToolMissing:
    return ToolMissing(what, next_step=advice.INSTALL_ENGINE().then(advice.LEAVE_OUT_IMAGES()))
