"""Fresh Python environments, to test that the built files install and work."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from unmoor.ports.shell import Ran


class Interpreter(msgspec.Struct, frozen=True, kw_only=True):
    """A CPython on this machine: its version (``3.12.1``) and the path of its executable.

    ``free_threaded``: it is the build without a global lock (PEP 703), for which wheels have tags of their own.
    """

    version: str
    path: str
    free_threaded: bool = False

    @property
    def series(self) -> str:
        """The version that wheels are built for, as in ``3.13`` or ``3.13t``."""
        return ".".join(self.version.split(".")[:2]) + ("t" if self.free_threaded else "")


def running() -> Interpreter:
    """The interpreter that runs unmoor."""
    free_threaded = "t" in getattr(sys, "abiflags", "")
    return Interpreter(version=platform.python_version(), path=sys.executable, free_threaded=free_threaded)


class Environment(Protocol):
    """One virtual environment (PEP 405) that holds only what `install` put there."""

    @property
    def folder(self) -> Path:
        """The folder of the environment."""

    @property
    def python(self) -> Path:
        """The path of its interpreter."""

    @property
    def scripts(self) -> Path:
        """The folder of its console scripts."""

    @property
    def packages(self) -> Path:
        """The folder of installed packages (site-packages)."""

    def install(
        self, requirements: Sequence[str], *, dependencies: bool = True, constraints: Sequence[str] = ()
    ) -> None:
        """Install requirements or files (``path``, or ``name @ url#sha256=…``), within ``constraints`` on versions.

        Dependencies come only from the world's dependencies index, never from the index under test.
        Raises `CheckFailed` with the installer's message if what it installs is at fault, else `Unknown`,
        `ToolMissing`, `Denied` or `Conflict`.
        """

    def install_with_pip(self, wheel: Path, name: str) -> str:
        """Install a wheel of a project with pip too, without dependencies, the network and into a folder of its own.

        The folder is deleted again. Returns an empty text, or why pip cannot be tried with this interpreter. Raises
        `CheckFailed` with pip's message, `ToolMissing`.
        """

    def check(self) -> None:
        """Check that the requirements of all installed packages are met. Raises `CheckFailed`."""

    def active(self, env: Mapping[str, str] | None = None) -> Mapping[str, str]:
        """The variables of a program that `run` starts, with those of ``env``."""

    def run(
        self,
        args: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        timeout: float = 600.0,
        hear: Callable[[str], None] | None = None,
    ) -> Ran:
        """Run a program with this environment first on PATH and otherwise scrubbed variables.

        Raises `ToolMissing` if it fails because of this machine: killed from outside, or a full disk.
        """


class Environments(Protocol):
    """Makes environments."""

    def under(self, constraints: Sequence[str]) -> Environments:
        """The same, but with build constraints for everything that an install has to build."""

    def own(self) -> Interpreter:
        """The default interpreter of new environments."""

    def pythons(self) -> tuple[Interpreter, ...]:
        """Every CPython found on this machine, lowest version first, one of each version."""

    def fresh(self, folder: Path, *, python: str = "") -> Environment:
        """Make an empty environment in a folder that does not exist yet. Raises `ToolMissing`.

        ``python`` is the path of the interpreter; empty means `own`.
        """
