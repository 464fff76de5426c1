"""Linters for tests: those that are installed with the development tools, and ones that answer as a test wants."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.shells import shell_for_tests

from unmoor.adapters.user_programs import InstalledPrograms
from unmoor.filesystem.layout import scripts_of
from unmoor.ports.shell import Ran


@dataclass
class FakePrograms:
    """Programs with one answer each: an exit code, and what they print on both streams."""

    answers: Mapping[str, tuple[int, str, str]]
    calls: list[tuple[str, ...]] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)

    def find(self, names: Iterable[str]) -> str:
        """Return the first that has an answer."""
        return next((name for name in names if name in self.answers), "")

    def run(self, args: Sequence[str], *, cwd: Path, patience: float, limit: int) -> Ran:
        """Give the answer, and note the files that it could read."""
        assert patience > 0
        assert limit > 0
        self.calls.append(tuple(args))
        self.seen += sorted(path.relative_to(cwd).as_posix() for path in cwd.rglob("*") if path.is_file())
        code, out, err = self.answers[args[0]]
        return Ran(args=tuple(args), code=code, out=out, err=err)


@dataclass
class _Installed:
    """The programs beside the interpreter of the tests, only those of some names."""

    names: tuple[str, ...]

    def find(self, names: Iterable[str]) -> str:
        """Return the first that is allowed."""
        return next((name for name in names if name in self.names), "")

    def run(self, args: Sequence[str], *, cwd: Path, patience: float, limit: int) -> Ran:
        """Run it."""
        environ = dict(os.environ) | {"PATH": str(scripts_of(Path(sys.prefix)))}
        with shell_for_tests() as shell:
            programs = InstalledPrograms(shell=shell, environ=environ)
            return programs.run(args, cwd=cwd, patience=patience, limit=limit)


def installed(*names: str) -> _Installed:
    """Return these programs of the development tools."""
    return _Installed(names)
