"""Fresh Python environments, for proving that what was built installs and works."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from unmoor.ports.shell import Ran


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

    def install(self, requirements: Sequence[str], *, dependencies: bool = True) -> None:
        """Install requirements or files (``path``, or ``name @ url#sha256=…``).

        Dependencies come from the world's dependencies index only, never from the index under
        test. Raises `Unproven` with the installer's words.
        """

    def check(self) -> None:
        """See that all installed packages' requirements are met. Raises `Unproven`."""

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

    def fresh(self, folder: Path) -> Environment:
        """Make an empty environment in a folder that does not exist yet. Raises `Unproven`, `MissingPart`."""
