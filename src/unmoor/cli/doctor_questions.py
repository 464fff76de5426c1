"""Every question of ``unmoor doctor``, with the adapters that answer it."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from unmoor.adapters.clock import MonotonicClock
from unmoor.adapters.process.capacity import disks, memory, processors
from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.process.supervisor import Processes
from unmoor.adapters.process.system import description
from unmoor.adapters.process.variables import server_variables
from unmoor.ci.github_actions import RunContext
from unmoor.cli.resolve_project import ResolvedProject, read_sources, resolve_checkout, resolve_project
from unmoor.cli.run_options import TargetOptions
from unmoor.config.credentials import index_login
from unmoor.config.real_world import real_world
from unmoor.config.worlds import read_world
from unmoor.diagnostics import circumstances
from unmoor.diagnostics.credentials import credentials, secret_variables
from unmoor.diagnostics.facts import Answer, FactGroup, Question, absent, question_of, unknown
from unmoor.diagnostics.programs import programs
from unmoor.diagnostics.surfaces import remote, repository, surfaces
from unmoor.ports.world import Login, Trusted, World
from unmoor.util.secret import Secret
from unmoor.util.text import count_of, size

if TYPE_CHECKING:
    from unmoor.adapters.http.session import BoundedSession
    from unmoor.ports.forge import ForgeRepository

_FRESH = 5.0
"""Seconds by which a clock may differ from a server's; tokens of CI jobs are valid for minutes."""


@dataclass(kw_only=True)
class Doctor:
    """The questions of one report. ``within`` is the limit of each in seconds.

    `project` and `world` are found before the others are asked. Each is `None` if it cannot be, with the reason.
    """

    target: TargetOptions
    processes: Processes
    within: float
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)
    _offsets: list[float] = field(default_factory=list, repr=False)

    @cached_property
    def _shell(self) -> LocalShell:
        return LocalShell(processes=self.processes)

    @cached_property
    def _http(self) -> BoundedSession:
        from unmoor.adapters.http.session import BoundedSession

        return BoundedSession()

    def find_project(self) -> ResolvedProject:
        """Find the project and its settings at HEAD. Raises the errors of git and of settings."""
        sources = read_sources()
        checkout = resolve_checkout(self.target, sources, self.processes, tag=None)
        return resolve_project(checkout, checkout.head(), sources, RunContext.from_environ(self.environ))

    def find_world(self, project: ResolvedProject | None) -> World:
        """Return the world of the options. The real one has no logins of indexes: a keyring may take seconds."""
        trusted = Trusted(project.settings.trusted_publishing) if project else Trusted.AUTO
        name = project.repository if project else ""
        if self.target.world is not None:
            return read_world(self.target.world, self.environ, repository=name, trusted=trusted)
        return real_world(name, self.environ, trusted=trusted, log_in=_later)

    def of_machine(self) -> Iterator[Question]:
        """Yield the questions for versions, programs, the engine, memory and disks."""
        yield from circumstances.versions(description)
        variables = server_variables(self.environ)
        yield from programs(self._shell, variables, Path(sys.prefix), uv=_uv(), timeout=self.within)
        yield Question(group=FactGroup.PROGRAMS, name="engine", ask=self._engine)
        yield question_of(FactGroup.MACHINE, "processors", lambda: str(processors() or "unknown"))
        yield question_of(FactGroup.MACHINE, "memory", _memory)
        for folder, free in disks(self.environ, self.target.folder.absolute()):
            text = f"{size(free)} free" if free is not None else "cannot be written to"
            yield question_of(FactGroup.MACHINE, "disk", partial("{} in {}".format, text, folder))

    def of_project(self, project: ResolvedProject) -> Iterator[Question]:
        """Yield the questions for the checkout and its settings."""
        checkout = project.checkout
        yield question_of(FactGroup.PROJECT, "checkout", lambda: str(checkout.folder))
        yield question_of(FactGroup.PROJECT, "history", lambda: "shallow" if checkout.shallow() else "complete")
        yield question_of(FactGroup.PROJECT, "changes", lambda: count_of(len(checkout.changed()), "changed file"))
        yield circumstances.settings(project.settings)

    def of_job(self) -> Iterator[Question]:
        """Yield the questions for the CI job and the variables."""
        yield from circumstances.ci_job(self.environ)
        yield secret_variables(self.environ)

    def of_world(self, world: World, project: ResolvedProject | None) -> Iterator[Question]:
        """Yield the questions for the surfaces of a world, and for its credentials."""
        from unmoor.adapters.http.urls import without_query

        yield from surfaces(world, self._ping, show=without_query)
        if world.forge.repository:
            yield repository(partial(self._repository, world), token=bool(world.forge.login.secret))
        if project is not None:
            yield remote(partial(self._remote, world, project))
        real = partial(index_login, environ=self.environ) if self.target.world is None else None
        yield from credentials(world, self._identity, index_login=real)

    def clock(self) -> Answer:
        """Compare the clock with those of the servers that have answered."""
        if not self._offsets:
            return unknown("no server told its time")
        offset = sorted(self._offsets)[len(self._offsets) // 2]
        if abs(offset) <= _FRESH:
            return Answer(value="as on the servers")
        return Answer(value=f"{abs(offset):.0f} s {'ahead of' if offset > 0 else 'behind'} the servers")

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _ping(self, address: str) -> int:
        answer = self._http.send("HEAD", address, deadline=self.within, limit=1_000_000)
        with contextlib.suppress(ValueError):
            self._offsets.append(time.time() - parsedate_to_datetime(answer.headers.get("Date", "")).timestamp())
        return answer.status

    def _repository(self, world: World) -> ForgeRepository:
        from unmoor.adapters.forge import GitHubForge

        clock = MonotonicClock(processes=self.processes, patience=world.patience)
        return GitHubForge(world.forge, self._http, clock).repository()

    def _remote(self, world: World, project: ResolvedProject) -> None:
        from unmoor.adapters.git.program import GitProgram

        git = GitProgram(shell=self._shell, environ=self.environ, timeout=self.within)
        git.run("ls-remote", "--quiet", "--", world.remote, "HEAD", cwd=project.checkout.folder, remote=True)

    def _engine(self) -> Answer:
        from unmoor.adapters.engine import DockerEngine

        facts = DockerEngine(shell=self._shell, processes=self.processes, environ=self.environ).facts()
        return Answer(value=f"{facts.version}, built with {facts.builder}, for {', '.join(facts.platforms)}")

    def _identity(self) -> Answer:
        from unmoor.adapters.identity.ambient import ambient

        found = ambient(self.environ)
        if found is None:
            return absent("none: this is no CI job that gives any")
        return absent(f"none: {found.lacking}") if found.lacking else Answer(value=f"given by {found.name}")


def _later(_name: str, _upload: str, _environ: Mapping[str, str]) -> Login:
    return Login(username="", secret=Secret(""), origin="")


def _uv() -> str:
    from uv import find_uv_bin

    try:
        return find_uv_bin()
    except FileNotFoundError:
        return "uv"


def _memory() -> str:
    found = memory()
    return f"{size(found.available)} available of {size(found.total)}"
