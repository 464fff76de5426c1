"""The project's build backend (PEP 517)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from unmoor.ports.environments import Interpreter
from unmoor.products import Tool


class Backend(Protocol):
    """Builds a source tree in an isolated environment that sees only an allow-list of variables."""

    def on(self, python: Interpreter) -> Backend:
        """The same backend with another interpreter."""

    def under(self, constraints: Sequence[str]) -> Backend:
        """The same backend with constraints on the versions of its build requirements."""

    def requires(self, source: Path) -> tuple[str, ...]:
        """``build-system.requires`` of a tree (PEP 518). Raises `BuildFailed` for a malformed pyproject.toml."""

    def sdist(self, source: Path, into: Path, *, env: Mapping[str, str]) -> Path:
        """Build the sdist of ``source`` into a folder. ``env`` is added to the allow-list. Raises `BuildFailed`."""

    def wheel(self, source: Path, into: Path, *, env: Mapping[str, str]) -> Path:
        """Build the wheel of ``source`` into a folder. Raises `BuildFailed`."""

    def tools(self) -> tuple[Tool, ...]:
        """The versions of everything that built: front end, installer, interpreter, the backend's packages."""
