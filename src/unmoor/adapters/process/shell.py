"""Programs, run to their end: within a time, within a length of output, in the environment they are given."""

from __future__ import annotations

import os
import re
import selectors
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from unmoor.adapters.process.supervisor import Child, Processes
from unmoor.errors import TimedOut
from unmoor.ports.shell import Ran

_PIECE = 65_536
# A line that is longer is handed on in parts of so many bytes.
_LINE = 8_192
# After the end of a program, what lies in its pipes is read for at most this long, in seconds: what it
# left running in the background may write for ever.
_DRAIN = 0.5

# Colours and cursor movements, and every control character but the tabulator.
_UNSEEN = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[()].|[\x00-\x08\x0a-\x1f\x7f-\x9f]")

_ALLOWED = """
PATH HOME USER LOGNAME LANG LANGUAGE TMPDIR TZ
SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE PIP_CERT UV_SYSTEM_CERTS UV_NATIVE_TLS
NIX_SSL_CERT_FILE
HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY http_proxy https_proxy all_proxy no_proxy
PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_FIND_LINKS PIP_TRUSTED_HOST PIP_NO_INDEX PIP_CONFIG_FILE PIP_CONSTRAINT
PIP_DEFAULT_TIMEOUT
UV_INDEX UV_INDEX_URL UV_DEFAULT_INDEX UV_EXTRA_INDEX_URL UV_FIND_LINKS UV_INSECURE_HOST UV_OFFLINE UV_CONFIG_FILE
UV_CACHE_DIR UV_HTTP_TIMEOUT UV_HTTP_RETRIES UV_LINK_MODE UV_NO_INDEX UV_INDEX_STRATEGY UV_CONSTRAINT UV_EXCLUDE_NEWER
UV_CONCURRENT_DOWNLOADS UV_CONCURRENT_BUILDS UV_CONCURRENT_INSTALLS
XDG_CACHE_HOME XDG_CONFIG_HOME XDG_CONFIG_DIRS XDG_DATA_HOME
CC CXX CPP LD AR RANLIB CFLAGS CXXFLAGS CPPFLAGS LDFLAGS LDSHARED ARCHFLAGS MACOSX_DEPLOYMENT_TARGET SDKROOT
PKG_CONFIG PKG_CONFIG_PATH LD_LIBRARY_PATH LIBRARY_PATH CPATH C_INCLUDE_PATH CMAKE_PREFIX_PATH MAKEFLAGS
CARGO_HOME RUSTUP_HOME RUSTUP_TOOLCHAIN RUSTFLAGS GOPATH GOCACHE GOFLAGS JAVA_HOME
CI
"""


def scrubbed(environ: Mapping[str, str]) -> dict[str, str]:
    """Keep of an environment what building and installing needs: an allow-list, so that no token is on it.

    Index addresses may carry a login for a private mirror. They stay, since dependencies could not be had
    otherwise, and are never printed.
    """
    allowed = frozenset(_ALLOWED.split())
    return {name: value for name, value in environ.items() if name in allowed or name.startswith("LC_")}


@dataclass(frozen=True, kw_only=True)
class LocalShell:
    """Runs programs on this machine. ``umask`` is set for the child alone; -1 leaves it as it is."""

    processes: Processes
    umask: int = -1

    def run(
        self,
        args: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        timeout: float = 600.0,
        limit: int = 1_000_000,
        hear: Callable[[str], None] | None = None,
    ) -> Ran:
        """Run to the end; see `unmoor.ports.shell.Shell`."""
        deadline = time.monotonic() + timeout
        child = self.processes.start(args, cwd=cwd, env=env, umask=self.umask)
        out, err = _Stream(limit=limit, hear=hear), _Stream(limit=limit, hear=hear)
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(self.processes.stopping, selectors.EVENT_READ)
                if child.pidfd is not None:
                    selector.register(child.pidfd, selectors.EVENT_READ)
                for pipe, stream in ((child.out, out), (child.err, err)):
                    selector.register(pipe, selectors.EVENT_READ, stream)
                self._follow(child, selector, deadline)
        except TimeoutError:
            raise TimedOut(
                f"{Path(args[0]).name} ran for more than {timeout:g} s and was stopped",
                next_step="see why it takes so long, or allow it more time",
                retryable=False,
            ) from None
        finally:
            code = self.processes.end(child)
        return Ran(args=tuple(args), code=code, out=out.close(), err=err.close())

    def _follow(self, child: Child, selector: selectors.BaseSelector, deadline: float) -> None:
        """Read until the program ends, and what it left in its pipes. Raises `TimeoutError` at the deadline."""
        while not child.ended():
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            _read(selector, min(left, 1.0 if child.pidfd is not None else 0.05))
            self.processes.check()
        patience = time.monotonic() + _DRAIN
        while _read(selector, 0) and time.monotonic() < patience:
            pass


def _read(selector: selectors.BaseSelector, timeout: float) -> bool:
    """Read once from every pipe that has something; false where none had."""
    some = False
    for key, _ in selector.select(timeout):
        if isinstance(key.data, _Stream):
            piece = os.read(key.fd, _PIECE)
            key.data.take(piece)
            some = True
            if not piece:
                selector.unregister(key.fileobj)
    return some


@dataclass(kw_only=True)
class _Stream:
    """What one stream said: its first and last bytes, ``limit`` together, and its lines as they come."""

    limit: int
    hear: Callable[[str], None] | None
    head: bytearray = field(default_factory=bytearray)
    tail: deque[bytes] = field(default_factory=deque)
    kept: int = 0
    lost: int = 0
    line: bytearray = field(default_factory=bytearray)

    def take(self, piece: bytes) -> None:
        """Keep a piece, and hand on the lines it ends."""
        if self.hear is not None:
            self._say(piece)
        room = self.limit // 2 - len(self.head)
        self.head += piece[:room]
        rest = piece[room:]
        if not rest:
            return
        self.tail.append(rest)
        self.kept += len(rest)
        while self.kept > self.limit - self.limit // 2:
            first = self.tail.popleft()
            over = min(self.kept - (self.limit - self.limit // 2), len(first))
            if over < len(first):
                self.tail.appendleft(first[over:])
            self.kept -= over
            self.lost += over

    def close(self) -> str:
        """Hand on the last line, and return the text."""
        if self.hear is not None and self.line:
            self._say(b"\n")
        cut = f"\n[{self.lost} bytes left out]\n" if self.lost else ""
        return b"".join((self.head, cut.encode(), *self.tail)).decode(errors="replace")

    def _say(self, piece: bytes) -> None:
        *lines, rest = (bytes(self.line) + piece).split(b"\n")
        while len(rest) > _LINE:
            lines.append(rest[:_LINE])
            rest = rest[_LINE:]
        self.line = bytearray(rest)
        for line in lines:
            if self.hear is not None:
                self.hear(_UNSEEN.sub("", line.decode(errors="replace").rstrip("\r")))
