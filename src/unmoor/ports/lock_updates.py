"""Updates of a project's lock: what a resolver makes of it, and whether the project's tests pass with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from unmoor.ports.scanner import Audit


class Unresolved(msgspec.Struct, frozen=True, kw_only=True):
    """No versions fit together, and why."""

    why: str


class LockTried(msgspec.Struct, frozen=True, kw_only=True):
    """How the tests of a project ended with a lock. ``why`` says what failed, empty if they passed."""

    why: str = ""

    @property
    def passed(self) -> bool:
        """Whether they passed."""
        return not self.why


class LockResolver(Protocol):
    """Makes locks of one project from others, beside the checkout. Every method raises `Unknown` without an answer."""

    def require_current(self, lock: bytes) -> None:
        """Raise `Refused` if a lock does not fit the project's own files."""

    def upgrade(
        self,
        lock: bytes,
        *,
        names: Sequence[str] = (),
        until: datetime | None = None,
        later: Mapping[str, datetime] | None = None,
        pyproject: bytes | None = None,
    ) -> bytes | Unresolved:
        """Upgrade the named packages, or all of them, as far as the project allows.

        Only with files that were uploaded before ``until``, or for some packages before the time in ``later``. Without
        ``until``, the project's own settings decide. ``pyproject`` replaces the project's own ``pyproject.toml``. The
        lock that is returned may record these times, so that it is only to be read.
        """

    def apply(self, lock: bytes, pins: Sequence[str]) -> bytes | Unresolved:
        """Give packages the versions in ``pins``, such as ``idna==3.7``, and change only what these need."""

    def audit(self, lock: bytes, *, patience: float) -> Audit:
        """Look up the known vulnerabilities of the locked versions, within ``patience`` seconds."""


class LockTests(Protocol):
    """The tests of one project, each time in a new copy and a new environment."""

    def run(self, lock: bytes) -> LockTried:
        """Install what a lock says, and run the tests. Raises `Unknown`, `ToolMissing` if that says nothing of it."""
