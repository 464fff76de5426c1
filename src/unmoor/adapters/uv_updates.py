"""Update a lock with uv, and test a project with the result, always in copies of a commit.

uv runs as the user would run it in the project, with the project's own settings: they are a part of what a lock says.
So ``exclude-newer`` is given only to locks that are read and thrown away: uv records it in the lock, and downgrades
what is newer. The lock that stays is made with ``--upgrade-package NAME==VERSION``, which leaves no trace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from unmoor import advice
from unmoor.adapters.process.variables import tool_variables
from unmoor.adapters.scanners.uv_audit import read_report
from unmoor.adapters.uv import Uv, UvEnvironment, binary, last_lines
from unmoor.adapters.uv_failures import read_failure
from unmoor.dists.testing.suites import Suite
from unmoor.errors import Cause, CheckFailed, Refused, TimedOut, Unknown
from unmoor.filesystem.files import read_regular
from unmoor.filesystem.temporary import temporary_folder
from unmoor.maintenance.updates.lock import LARGEST, NAME, read_lock
from unmoor.ports.failure import failure
from unmoor.ports.lock_updates import LockTried, Unresolved
from unmoor.ports.scanner import Audit
from unmoor.ports.shell import Ran
from unmoor.util.text import clean

# The first two make ``uv lock`` check instead of writing; the others lead to another project, environment or date.
_UNSET: Final = frozenset(
    {"UV_LOCKED", "UV_FROZEN", "UV_WORKING_DIRECTORY", "UV_PROJECT", "UV_PROJECT_ENVIRONMENT", "UV_EXCLUDE_NEWER"}
)
_FIXED: Final = {"UV_NO_PROGRESS": "1", "NO_COLOR": "1"}
_TIMEOUT: Final = 900.0
_PREVIEW: Final = "audit-command,json-output"
_LINES: Final = 12
_UNUSABLE: Final = 2
"""How uv ends if it does not understand its arguments or its settings."""

_WITHOUT: Final = advice.LEAVE_SECURITY_OUT()

Copy = Callable[[Path], Path]
"""Copies the project of a commit to below a new folder, and returns its folder there."""


@dataclass(frozen=True, kw_only=True)
class UvProject:
    """Runs uv in a folder with a project, with the variables of the user that uv reads, and no other credentials."""

    uv: Uv
    no_build: bool = False

    def run(self, *args: str, folder: Path, more: Mapping[str, str] | None = None, timeout: float = _TIMEOUT) -> Ran:
        """Run uv to its end. Raises `Unknown` if it takes too long."""
        own = {name: value for name, value in self.uv.environ.items() if name.startswith("UV_")}
        variables = {
            name: value
            for name, value in {**tool_variables(self.uv.environ, logins=True), **own}.items()
            if name not in _UNSET
        }
        without = {"UV_NO_BUILD": "1"} if self.no_build else {}
        try:
            return self.uv.shell.run(
                [binary(), *args], cwd=folder, env={**variables, **_FIXED, **without, **(more or {})}, timeout=timeout
            )
        except TimedOut as error:
            raise failure(Cause.LOST, error.what) from error

    def raise_unknown(self, ran: Ran, what: str) -> None:
        """Raise the error for a failure that says nothing of the lock: of the network, an index or this machine."""
        if (error := read_failure(ran, what, self.uv.indexes())) is not None:
            raise error


@dataclass(frozen=True, kw_only=True)
class UvLockResolver:
    """Implements `unmoor.ports.lock_updates.LockResolver` in one copy of a project.

    ``service`` is the root of the API that knows vulnerabilities, empty for uv's own choice, ``None`` if none may be
    asked.
    """

    project: UvProject
    folder: Path
    service: str | None = None

    def require_current(self, lock: bytes) -> None:
        """Raise `Refused` if ``uv lock --check`` fails."""
        (self.folder / NAME).write_bytes(lock)
        ran = self.project.run("lock", "--quiet", "--check", folder=self.folder)
        if ran.code:
            self.project.raise_unknown(ran, "could not check the lock")
            raise Refused(
                f"the lock does not fit the project:\n{last_lines(ran)}",
                where=NAME,
                next_step=advice.UPDATE_LOCK(),
            )

    def upgrade(
        self,
        lock: bytes,
        *,
        names: Sequence[str] = (),
        until: datetime | None = None,
        later: Mapping[str, datetime] | None = None,
        pyproject: bytes | None = None,
    ) -> bytes | Unresolved:
        """Upgrade with a date, for a lock that is only read; see the port."""
        options = [option for name in names for option in ("--upgrade-package", name)] or ["--upgrade"]
        options += ["--exclude-newer", _text(until)] if until is not None else []
        for name, time in (later or {}).items():
            options += ["--exclude-newer-package", f"{name}={_text(time)}"]
        with self._replaced(pyproject):
            return self._lock(lock, options, "could not plan updates")

    def apply(self, lock: bytes, pins: Sequence[str]) -> bytes | Unresolved:
        """Give packages versions; see the port."""
        options = [option for pin in pins for option in ("--upgrade-package", pin)]
        return self._lock(lock, options, "could not apply updates")

    def audit(self, lock: bytes, *, patience: float) -> Audit:
        """Run ``uv audit`` on a lock; see the port."""
        if self.service is None:
            raise Unknown("this world has no service that knows vulnerabilities", retryable=False, next_step=_WITHOUT)
        (self.folder / NAME).write_bytes(lock)
        args = ["audit", "--quiet", "--frozen", "--output-format", "json", f"--preview-features={_PREVIEW}"]
        args += ["--service-url", f"{self.service}/"] if self.service else []
        try:
            return read_report(self.project.run(*args, folder=self.folder, timeout=patience))
        except Unknown as error:
            raise error.amended(next_step=_WITHOUT.then(error.next_step)) from error

    @contextmanager
    def _replaced(self, pyproject: bytes | None) -> Iterator[None]:
        path = self.folder / "pyproject.toml"
        before = path.read_bytes()
        try:
            if pyproject is not None:
                path.write_bytes(pyproject)
            yield
        finally:
            path.write_bytes(before)

    def _lock(self, lock: bytes, options: Sequence[str], what: str) -> bytes | Unresolved:
        path = self.folder / NAME
        path.write_bytes(lock)
        ran = self.project.run("lock", "--quiet", *options, folder=self.folder)
        if ran.code:
            self.project.raise_unknown(ran, what)
            return Unresolved(why=_last(ran))
        return read_regular(path, LARGEST)


@dataclass(frozen=True, kw_only=True)
class UvLockTests:
    """Implements `unmoor.ports.lock_updates.LockTests`: a new copy and a new environment for each run.

    ``selection`` are the options that say which extras and groups are installed; ``timeout`` is in seconds.
    """

    project: UvProject
    copy: Copy
    suite: Suite
    selection: Sequence[str]
    timeout: float

    def run(self, lock: bytes) -> LockTried:
        """Install what the lock says, the project itself too, and run the tests without any login; see the port."""
        with temporary_folder() as folder:
            copy = self.copy(folder / "copy")
            (copy / NAME).write_bytes(lock)
            place = folder / "environment"
            ran = self.project.run(
                *("sync", "--quiet", "--frozen", *self.selection),
                folder=copy,
                more={"UV_PROJECT_ENVIRONMENT": str(place)},
            )
            if ran.code:
                self.project.raise_unknown(ran, "could not install the locked versions")
                return LockTried(why=f"the locked versions cannot be installed: {_last(ran)}")
            environment = UvEnvironment(
                folder=place, uv=self.project.uv, variables=self.project.uv.variables(folder / "home")
            )
            try:
                environment.install(self._missing(lock))
            except CheckFailed as error:
                return LockTried(why=error.what)
            return self._test(environment, copy)

    def _missing(self, lock: bytes) -> list[str]:
        """What the tests require and the lock does not have, such as pytest where nobody declares it."""
        locked = {each.name for each in read_lock(lock).packages}
        found = []
        for each in self.suite.requires:
            try:
                name = canonicalize_name(Requirement(each).name)
            except InvalidRequirement:
                continue  # a path of the project, which is installed
            if name not in locked:
                found.append(each)
        return found

    def _test(self, environment: UvEnvironment, copy: Path) -> LockTried:
        try:
            ran = environment.run(
                self.suite.args(str(copy)), cwd=copy, env=self.suite.environment(str(copy)), timeout=self.timeout
            )
        except TimedOut:
            return LockTried(why=f"{self.suite.command!r} ran for more than {self.timeout:g} s")
        if ran.code == 0:
            return LockTried()
        lines = [line for line in f"{ran.out}\n{ran.err}".splitlines() if line.strip()][-_LINES:]
        return LockTried(
            why="\n".join(
                (f"{clean(self.suite.command, 200)!r} ended with {ran.code}:", *(clean(x, 300) for x in lines))
            )
        )


def _text(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def _last(ran: Ran) -> str:
    """What uv says, on one line."""
    return clean(last_lines(ran).removeprefix("error: "), 600)
