"""What a check is, what it is given, and what it finds."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NoReturn

import msgspec

from unmoor.advice import NOTHING, NextStep
from unmoor.config.settings import Settings
from unmoor.ports.git import Git
from unmoor.ports.repository_files import RepositoryFiles
from unmoor.ports.shell import Shell
from unmoor.ports.user_programs import UserPrograms
from unmoor.project.files import Files

if TYPE_CHECKING:
    from unmoor.ports.services import Services  # it has every port, and most checks need none


class CheckGroup(StrEnum):
    """What a check costs, and so when it runs."""

    FAST = "fast"
    """Always: reads files and git, and may run a linter that is installed. No network, no import, no project code."""
    FULL = "full"
    """With ``--full``: installs, imports and builds the project."""
    ACCESS = "access"
    """With ``--access``: asks the forge and the indexes, and only reads."""
    COVERAGE = "coverage"
    """With ``--coverage``: reads a report of coverage.py."""


class CheckLevel(StrEnum):
    """What a finding means: ``critical`` fails the command, ``warning`` does not."""

    CRITICAL = "critical"
    WARNING = "warning"


class CheckState(StrEnum):
    """How a check ended. ``unknown`` is never a pass: the check has no answer."""

    PASSED = "passed"
    FAILED = "failed"
    WARNED = "warned"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    IGNORED = "ignored"


class CheckProblem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong.

    ``where`` is a path from the top of the repository, or another place, and ``line`` counts from 1. ``level`` is that
    of the check, unless this problem is less.
    """

    what: str
    where: str = ""
    line: int | None = None
    next_step: NextStep = NOTHING
    level: CheckLevel | None = None


class CheckRemark(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader should know although nothing is wrong, such as what a check cannot see."""

    what: str


class NotApplicable(Exception):
    """There is nothing to check, with the reason: the check is skipped."""


def skip(why: str) -> NoReturn:
    """End a check that has nothing to look at."""
    raise NotApplicable(why)


def no_services() -> Services:
    """The services of a context without any. Raises `NotApplicable`."""
    skip("this command asks no server")


def no_linters() -> UserPrograms:
    """The linters of a context without any. Raises `NotApplicable`."""
    skip("this command runs no linter")


def no_programs() -> Shell:
    """The shell of a context without one. Raises `NotApplicable`."""
    skip("this command runs no other program")


@dataclass(frozen=True, kw_only=True)
class CheckContext:
    """What a check may use. Everything is read on first use, once for all checks.

    ``source`` has the files of the whole repository, ``path`` is the folder of the project in it, empty for the top.
    ``staged``: the files are those of the index, so only what is about to be committed counts. ``repository`` gives
    ``owner/name`` on the forge and ``default_branch`` the remote's, each empty if unknown. ``programs`` runs other
    programs, ``linters`` those that the user has installed, and ``services`` has the ports that only some groups need.
    ``installing`` are those of a project on any forge, or on none, for building and installing. ``coverage`` is the
    report to read, ``commit`` the one that is checked out, if it is known already.
    """

    source: RepositoryFiles
    git: Git
    settings: Settings
    path: str = ""
    staged: bool = False
    environ: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    repository: Callable[[], str] = lambda: ""
    default_branch: Callable[[], str] = lambda: ""
    programs: Callable[[], Shell] = no_programs
    linters: Callable[[], UserPrograms] = no_linters
    services: Callable[[], Services] = no_services
    installing: Callable[[], Services] = no_services
    coverage: Path | None = None
    commit: str | None = None

    @cached_property
    def files(self) -> Files:
        """The files of the project, by their paths from its folder."""
        return Files(lambda name: self.source.read(self.from_top(name)), lambda: self.project_names)

    @cached_property
    def top(self) -> Files:
        """The files of the repository, by their paths from its top."""
        return self.files if not self.path else Files(self.source.read, self.source.names)

    @cached_property
    def project_names(self) -> tuple[str, ...]:
        """The paths of the project's files, from its folder."""
        if not self.path:
            return self.source.names()
        here = f"{self.path}/"
        return tuple(name.removeprefix(here) for name in self.source.names() if name.startswith(here))

    def from_top(self, name: str) -> str:
        """The path of a project's file from the top of the repository."""
        return posixpath.normpath(posixpath.join(self.path, name)) if self.path else name

    @cached_property
    def head(self) -> str | None:
        """The commit that is checked out, ``None`` before the first."""
        return self.commit or self.git.head()


class RepositoryCheck(msgspec.Struct, frozen=True, kw_only=True):
    """A check, as the registry lists it.

    ``title`` says in one line what must be true, ``reads`` what the check reads, and ``remedy`` what to do when it
    finds something. ``run`` yields what is wrong. It raises `NotApplicable` if there is nothing to check. Errors of
    the project (`ConfigError`, `Refused` …) count as problems, and `Unknown` or a missing tool as no answer.
    """

    id: str
    group: CheckGroup
    level: CheckLevel
    title: str
    reads: str
    remedy: str
    run: Callable[[CheckContext], Iterable[CheckProblem | CheckRemark]]


class CheckResult(msgspec.Struct, frozen=True, kw_only=True):
    """How one check ended. ``why`` is the reason for having no answer, or for not running.

    ``next_step`` is for a check without an answer. ``crash`` is the traceback of a bug. ``remarks`` change no state.
    """

    check: RepositoryCheck
    state: CheckState
    problems: tuple[CheckProblem, ...] = ()
    why: str = ""
    remarks: tuple[str, ...] = ()
    next_step: NextStep = NOTHING
    seconds: float = 0.0
    crash: str = ""

    def level_of(self, problem: CheckProblem) -> CheckLevel:
        """What a problem means: as its check says, or less."""
        return problem.level or self.check.level


class CheckReport(msgspec.Struct, frozen=True, kw_only=True):
    """The results, in the order of the registry."""

    results: tuple[CheckResult, ...]

    def of(self, *states: CheckState) -> tuple[CheckResult, ...]:
        """The results in these states."""
        return tuple(each for each in self.results if each.state in states)

    @property
    def critical(self) -> tuple[CheckResult, ...]:
        """The checks that failed, so that nothing should be committed or released."""
        return self.of(CheckState.FAILED)

    @property
    def unknown(self) -> tuple[CheckResult, ...]:
        """The checks without an answer."""
        return self.of(CheckState.UNKNOWN)
