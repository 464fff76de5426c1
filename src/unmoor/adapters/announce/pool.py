"""The parent's side: the addresses of the targets, and the child that sends to them."""

from __future__ import annotations

import contextlib
import math
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import msgspec

from unmoor import advice
from unmoor.adapters.announce.child import NO_APPRISE, SendTask, TargetResult
from unmoor.adapters.process.variables import tool_variables
from unmoor.errors import ConfigError, Interrupted, ToolMissing, UnmoorError
from unmoor.filesystem.temporary import temporary_folder
from unmoor.ports.announcer import Delivery, Message, TargetFacts
from unmoor.ports.shell import Shell
from unmoor.ports.world import AnnouncePlace, Login
from unmoor.util.announce import announce
from unmoor.util.decode import decode_json
from unmoor.util.secret import Secret

_PROGRAM = (sys.executable, "-P", "-X", "utf8", "-m", "unmoor.adapters.announce.child")
_LIMIT = 100_000
# Python and apprise start within that, on a busy machine too. Then the child ends itself at the deadline; one that
# cannot, since code in C holds it, is killed.
_START = 10.0
DEADLINE = 30.0
_NOWHERE = Login(username="", secret=Secret(""), origin="the world file, which has none of that name")
# More than a pipe holds at once cannot be passed on.
_STDIN = 60_000


@dataclass(frozen=True, kw_only=True)
class ApprisePool:
    """Sends with apprise, in a child process. Implements `unmoor.ports.announcer.Announcer`.

    ``logins`` has the address of each target as its secret. ``deadline`` is in seconds, for all targets together. In a
    ``rehearsal`` no address is used that is not on this machine.
    """

    shell: Shell
    logins: Mapping[str, Login]
    catcher: str = ""
    rehearsal: bool = False
    deadline: float = DEADLINE
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)

    @classmethod
    def of(
        cls,
        place: AnnouncePlace,
        targets: Mapping[str, str],
        shell: Shell,
        environ: Mapping[str, str],
        *,
        rehearsal: bool,
        patience: float = math.inf,
    ) -> Self:
        """Find the address of each target of the settings, which name the variable of each.

        ``patience`` is the most seconds to wait for them.
        """
        deadline = min(DEADLINE, patience)
        known = dict(place.targets) if place.targets is not None else {}
        logins = {
            name: _login_in(variable, environ) if place.targets is None else known.get(name, _NOWHERE)
            for name, variable in targets.items()
        }
        return cls(
            shell=shell, logins=logins, catcher=place.catcher, rehearsal=rehearsal, deadline=deadline, environ=environ
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the targets."""
        return tuple(self.logins)

    def examine(self) -> tuple[TargetFacts, ...]:
        """Judge the address of each target; see the port."""
        there = {name: login for name, login in self.logins.items() if login.secret}
        heard: dict[str, TargetResult] = {}
        if there:
            _require_apprise(self._run(self._task(tuple(there)), heard, _START + self.deadline))
        return tuple(self._facts(name, login, heard.get(name)) for name, login in self.logins.items())

    def _facts(self, name: str, login: Login, line: TargetResult | None) -> TargetFacts:
        if not login.secret:
            return TargetFacts(name=name, origin=login.origin, problem="has no address here", missing=True)
        if line is None or not line.usable:
            return TargetFacts(name=name, origin=login.origin, problem="has an address that apprise does not know")
        return TargetFacts(name=name, origin=login.origin)

    def send(self, message: Message, targets: Sequence[str]) -> tuple[Delivery, ...]:
        """Send a message; see the port."""
        heard: dict[str, TargetResult] = {}
        task = self._task(targets, message)
        # Those that answered in time have said so. Of any other nothing is known, whatever ended the child.
        code = 0
        try:
            code = self._run(task, heard, _START + self.deadline)
        except Interrupted:
            raise
        except UnmoorError as error:
            announce(f"what sends the messages was ended: {error.what}")
        _require_apprise(code)
        return tuple(
            Delivery(target=name, accepted=line.accepted if line.usable else False, seconds=line.seconds)
            if (line := heard.get(name)) is not None
            else Delivery(target=name, accepted=None, seconds=self.deadline)
            for name in targets
        )

    def _task(self, names: Sequence[str], message: Message | None = None) -> SendTask:
        targets = {name: self.logins[name].secret.reveal() for name in names}
        task = SendTask(
            targets=targets,
            message=message,
            catcher=self.catcher,
            rehearsal=self.rehearsal,
            seconds=self.deadline,
        )
        if len(msgspec.json.encode(task)) > _STDIN:
            raise ConfigError("the addresses of the targets are too long", next_step=advice.SHORTEN_ADDRESSES())
        return task

    def _run(self, task: SendTask, heard: dict[str, TargetResult], timeout: float) -> int:
        """Run the child, collect what it says and return its exit code. Its output is never shown."""

        def hear(text: str) -> None:
            with contextlib.suppress(ValueError):
                line = decode_json(text.encode(), TargetResult)
                if line.target in task.targets:
                    heard[line.target] = line

        with temporary_folder() as folder:
            ran = self.shell.run(
                _PROGRAM,
                cwd=Path(folder),
                env={**tool_variables(self.environ, logins=True), **_bytecode(self.environ)},
                timeout=timeout,
                limit=_LIMIT,
                hear=hear,
                stdin=msgspec.json.encode(task),
            )
        return ran.code


def _require_apprise(code: int) -> None:
    """Raise `ToolMissing` if the child ended because it could not import apprise."""
    if code == NO_APPRISE:
        raise ToolMissing("announcements need apprise, which is not installed", next_step=advice.INSTALL_ANNOUNCE())


def _login_in(variable: str, environ: Mapping[str, str]) -> Login:
    """The address in a variable."""
    address = environ.get(variable, "").strip()
    state = "" if address else ", which is not set" if variable not in environ else ", which is empty"
    return Login(username="", secret=Secret(address), origin=f"the environment variable {variable}{state}")


def _bytecode(environ: Mapping[str, str]) -> dict[str, str]:
    names = ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX", "PYTHONPATH", "PYTHONUSERBASE")
    return {name: environ[name] for name in names if name in environ}
