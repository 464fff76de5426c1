"""Talk to HAProxy: a command a connection, within limits of time and size."""

from __future__ import annotations

import contextlib
import errno
import re
import time
from dataclasses import dataclass
from pathlib import Path

from unmoor import advice
from unmoor.adapters.process.sockets import connect_to_file
from unmoor.adapters.proxy.answers import check_state_file, read_info, read_servers
from unmoor.advice import NextStep
from unmoor.errors import Cause, ConfigError, Denied, Refused, Rejected, Unknown, UnmoorError
from unmoor.filesystem.files import may_write_in, read_regular, write_atomic
from unmoor.ports.clock import Clock
from unmoor.ports.failure import failure
from unmoor.ports.proxy import Admin, ProxyServer, ProxyState
from unmoor.util.text import clean

_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,80}")
_LIMIT = 10_000_000
_CHUNK = 65_536
_NO_BACKEND = ("Can't find backend.", "No such proxy.")
_NOT_ALLOWED = "Permission denied"
# A restart of the proxy takes its socket away for a moment.
_WAITS = (0.0, 0.1, 0.3, 0.6, 1.0)


@dataclass(frozen=True, kw_only=True)
class HaProxy:
    """Implements `unmoor.ports.proxy.Proxy`. ``socket`` is a file, of ``level admin``; ``patience`` is in seconds."""

    service: str
    socket: str
    state_file: str
    backend: str
    clock: Clock
    patience: float = 5.0

    @property
    def address(self) -> str:
        """The path of the socket."""
        return clean(self.socket, 200)

    def look(self) -> ProxyState:
        """Read servers and counters; see `unmoor.ports.proxy.Proxy`."""
        backend = self._named(self.backend)
        info = self._ask("show info")
        states = self._ask(f"show servers state {backend}")
        if states.strip() in _NO_BACKEND:
            raise ConfigError(
                f"the proxy has no backend {backend}",
                where=self.address,
                next_step=self._configure(),
            )
        statistics = self._ask(f"show stat {backend} -1 -1")
        try:
            version, process = read_info(info)
            return ProxyState(version=version, process=process, servers=read_servers(states, statistics, backend))
        except ValueError as error:
            raise self._nonsense(str(error)) from error

    def set_admin(self, server: str, admin: Admin) -> None:
        """Tell the proxy about a server, and read it back; see `unmoor.ports.proxy.Proxy`."""
        seen = self._told(server, admin)
        if seen is None or seen.admin is not admin:
            # A proxy that ends with the command in its hands says nothing either, and the next one has not heard it.
            seen = self._told(server, admin)
        if seen is None or seen.admin is not admin:
            now = "gone" if seen is None else seen.admin.value
            raise Unknown(f"{clean(server)} was set to {admin.value}, and is {now} when read back", where=self.address)

    def _told(self, server: str, admin: Admin) -> ProxyServer | None:
        """Tell the proxy once, and read the server back."""
        name = self._named(server)
        answer = self._ask(f"set server {self._named(self.backend)}/{name} state {admin.value}").strip()
        if answer:
            raise Rejected(
                f"the proxy does not set {name} to {admin.value}: {clean(answer)}",
                where=self.address,
                next_step=self._configure(),
            )
        return self.look().server(name)

    def save(self) -> None:
        """Write the state file, whole or not at all; see `unmoor.ports.proxy.Proxy`."""
        if not self.state_file:
            return
        path = self._check_file()
        try:
            text = check_state_file(self._ask("show servers state"))
        except ValueError as error:
            raise self._nonsense(str(error)) from error
        try:
            write_atomic(path, text.encode())
        except OSError as error:
            raise self._not_written(error.strerror or type(error).__name__) from error

    def check_saving(self) -> None:
        """Check that the state file is one, or none yet, in a folder that can be written; writes nothing."""
        if not self.state_file:
            return
        path = self._check_file()
        if not path.parent.is_dir():
            raise self._not_written(f"there is no folder {clean(str(path.parent), 200)}")
        if not may_write_in(path.parent):
            raise self._not_written("this user may not write to its folder")

    def _check_file(self) -> Path:
        """Refuse to replace a file that holds anything but a state."""
        path = Path(self.state_file)
        try:
            there = read_regular(path, _LIMIT)
        except FileNotFoundError:
            return path
        except OSError as error:
            raise self._not_written(error.strerror or type(error).__name__) from error
        with contextlib.suppress(ValueError):
            if there.strip():
                check_state_file(there.decode())
            return path
        raise Refused(
            "this file exists and is no state file of HAProxy, so it is not replaced",
            where=clean(self.state_file, 200),
            next_step=advice.CORRECT_STATE_FILE(),
        )

    def _not_written(self, reason: str) -> UnmoorError:
        return Denied(
            f"cannot write the proxy's state file: {reason}",
            where=clean(self.state_file, 200),
            next_step=advice.CORRECT_STATE_FILE(),
        )

    def _configure(self) -> NextStep:
        return advice.PRINT_PROXY_CONFIG(name=self.service)

    def _named(self, name: str) -> str:
        """A name that cannot hold a second command."""
        if not _NAME.fullmatch(name):
            raise ConfigError(
                f"{clean(name, 80)!r} is no name of a backend or a server",
                next_step=self._configure(),
            )
        return name

    def _ask(self, command: str) -> str:
        """Send one command and return the whole answer, in a few tries while there is no connection."""
        answer = self._tried(command)
        text = answer.decode(errors="replace")
        if text.startswith(_NOT_ALLOWED):
            raise Denied(
                f"the proxy's socket does not allow '{command.partition('/')[0]}'",
                where=self.address,
                next_step=advice.ALLOW_PROXY_SOCKET(),
            )
        return text

    def _tried(self, command: str) -> bytes:
        """Exchange a command for its answer, in a few tries while nothing listens or the proxy ends meanwhile.

        Each command may be sent twice: it reads, or says what shall be so.
        """
        trouble: OSError | None = None
        for wait in _WAITS:
            self.clock.sleep(wait)
            try:
                return self._exchange(command)
            except (ConnectionError, FileNotFoundError) as error:
                trouble = error
        if not isinstance(trouble, ConnectionRefusedError | FileNotFoundError):
            raise self._broken(trouble) from trouble
        raise failure(
            Cause.UNREACHABLE,
            f"no proxy listens on this socket: {trouble.strerror}",
            where=self.address,
            next_step=advice.START_PROXY(),
            retryable=True,
        ) from trouble

    def _exchange(self, command: str) -> bytes:
        ends = time.monotonic() + self.patience
        answer = bytearray()
        try:
            with contextlib.closing(connect_to_file(self.socket, timeout=self.patience)) as opened:
                opened.sendall(f"{command}\n".encode())
                while True:
                    opened.settimeout(max(ends - time.monotonic(), 0.001))
                    chunk = opened.recv(_CHUNK)
                    if not chunk and not answer and command.startswith("show"):
                        raise ConnectionAbortedError(errno.ECONNABORTED, "it ended without an answer")
                    if not chunk:
                        return bytes(answer)
                    answer += chunk
                    if len(answer) > _LIMIT:
                        raise self._nonsense(f"the answer to '{command}' is larger than {_LIMIT} bytes")
        except (ConnectionError, FileNotFoundError):
            raise
        except TimeoutError as error:
            raise failure(
                Cause.LOST, f"no complete answer to '{command}' within {self.patience:g} s", where=self.address
            ) from error
        except PermissionError as error:
            raise Denied(
                "this user may not use the proxy's socket", where=self.address, next_step=advice.ALLOW_PROXY_SOCKET()
            ) from error
        except OSError as error:
            raise self._broken(error) from error

    def _broken(self, error: OSError | None) -> UnmoorError:
        reason = (error.strerror if error else "") or type(error).__name__
        return failure(Cause.LOST, f"the connection to the proxy broke: {reason}", where=self.address)

    def _nonsense(self, reason: str) -> UnmoorError:
        return Unknown(
            f"cannot read the proxy's answer: {clean(reason)}",
            where=self.address,
            next_step=advice.CHECK_PROXY_SOCKET(),
            retryable=False,
        )
