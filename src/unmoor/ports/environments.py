"""Fresh Python environments, for proving that what was built installs and works."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from unmoor.ports.shell import Ran


@dataclass(frozen=True, kw_only=True)
class Interpreter:
    """A CPython on this machine: its version, such as ``3.12.1``, and the path of its program."""

    version: str
    path: str


class Environment(Protocol):
    """One virtual environment (PEP 405), nothing in it but what was installed."""

    @property
    def folder(self) -> Path:
        """Its folder."""

    @property
    def python(self) -> Path:
        """Its interpreter."""

    @property
    def scripts(self) -> Path:
        """The folder of its console scripts."""

    @property
    def packages(self) -> Path:
        """The folder that holds what was installed."""

    def install(self, requirements: Sequence[str], *, dependencies: bool = True) -> None:
        """Install requirements or files (``path``, or ``name @ url#sha256=…``).

        Dependencies come from the world's dependencies index only, never from the index under
        test. Raises `CheckFailed` with the installer's words.
        """

    def check(self) -> None:
        """See that all installed packages' requirements are met. Raises `CheckFailed`."""

    def run(
        self,
        args: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        timeout: float = 600.0,
        hear: Callable[[str], None] | None = None,
    ) -> Ran:
        """Run a program with this environment first on PATH; a scrubbed environment otherwise."""


class Environments(Protocol):
    """Makes them."""

    def under(self, constraints: Sequence[str]) -> Environments:
        """The same, where all that has to be built for an install is built within these build constraints."""

    def own(self) -> Interpreter:
        """The interpreter that environments are made of unless another one is named."""

    def pythons(self) -> tuple[Interpreter, ...]:
        """Every CPython that can be found on this machine, the lowest version first, one of each version."""

    def fresh(self, folder: Path, *, python: str = "") -> Environment:
        """Make an empty environment in a folder that does not exist yet. Raises `CheckFailed`, `ToolMissing`.

        ``python`` is the path of the interpreter to start from; empty: `own`.
        """
