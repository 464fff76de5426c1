"""The project's build backend (PEP 517)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final, Protocol

from unmoor.ports.environments import Interpreter
from unmoor.products import Tool

UMASK: Final = 0o022
"""The umask of every build but one `Backend.elsewhere`."""
OTHER_UMASK: Final = 0o077
OTHER_VARIABLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        # 14 hours before UTC, as POSIX writes it, which needs no list of time zones: usually another day.
        "TZ": "GMT+14",
        "LC_ALL": "C",
        "PYTHONHASHSEED": "20260101",
        "USER": "another-user",
        "LOGNAME": "another-user",
    }
)
"""What a build `Backend.elsewhere` has in other values than any other build: a fixed choice, the same everywhere."""


class Backend(Protocol):
    """Builds a source tree in an isolated environment that sees only an allow-list of variables.

    Umask, time zone, locale and the seed of hashes are the same in every build.
    """

    def on(self, python: Interpreter) -> Backend:
        """The same backend with another interpreter."""

    def under(self, constraints: Sequence[str]) -> Backend:
        """The same backend with constraints on the versions of its build requirements."""

    def with_digests(self) -> Backend:
        """The same backend, with the same environments, whose `tools` have digests as far as the index says them."""

    def elsewhere(self) -> Backend:
        """The same backend, with the same environments, for a build of what is built already, under other conditions.

        The umask is `OTHER_UMASK`, the variables are `OTHER_VARIABLES`, and HOME is another folder with the same files.
        """

    def requires(self, source: Path) -> tuple[str, ...]:
        """``build-system.requires`` of a tree (PEP 518). Raises `BuildFailed` for a malformed pyproject.toml."""

    def sdist(self, source: Path, into: Path, *, env: Mapping[str, str]) -> Path:
        """Build the sdist of ``source`` into a folder. ``env`` is added to the allow-list. Raises `BuildFailed`."""

    def wheel(self, source: Path, into: Path, *, env: Mapping[str, str]) -> Path:
        """Build the wheel of ``source`` into a folder. Raises `BuildFailed`."""

    def tools(self) -> tuple[Tool, ...]:
        """The versions of everything that built: front end, installer, interpreter, the backend's packages."""
