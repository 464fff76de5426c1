"""What an installer would install with a file: its dependencies as an index resolves them now."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from unmoor.ports.environments import Interpreter


class InstallTarget(msgspec.Struct, frozen=True, kw_only=True):
    """Where something is to be installed.

    ``python`` is the interpreter on this machine that resolves. ``version`` is the Python of the target, as in
    ``3.12``, empty for that of the interpreter; ``platform`` is the platform tag of a wheel, empty for this machine.
    """

    python: Interpreter
    version: str = ""
    platform: str = ""


class ResolvedPackage(msgspec.Struct, frozen=True, kw_only=True):
    """One package of a resolution, its name normalised, and the file that an installer would take.

    ``sha256`` is empty for a tree or a repository. ``metadata`` is METADATA (core metadata) of the file, ``None`` if
    the index does not serve it apart from the file.
    """

    name: str
    version: str
    file: str = ""
    sha256: str = ""
    metadata: bytes | None = None


class Resolver(Protocol):
    """Resolves dependencies from the index that tests of the files install from."""

    def under(self, constraints: Sequence[str], *, builds: bool = True) -> Resolver:
        """The same, but with build constraints for everything that has to be built to be resolved.

        With ``builds`` false nothing is built, so that no code of a dependency runs: `resolve` raises `CheckFailed` if
        only an sdist would do.
        """

    def resolve(self, wheel: Path, *, name: str, extra: str, target: InstallTarget) -> tuple[ResolvedPackage, ...]:
        """Resolve a wheel of the project ``name``, with an extra of it or none (empty). The project is left out.

        Returns packages sorted by name. Raises `CheckFailed` if there is no solution, `Unknown` if the target or the
        answer is not understood, and what an install raises: `Unknown`, `ToolMissing`, `Denied`, `Conflict`.
        """
