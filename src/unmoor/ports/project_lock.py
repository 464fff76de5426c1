"""The lock file of a project, which repeats its version."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class ProjectLock(Protocol):
    """Brings a lock file up to date with the project's own files."""

    def update(self, folder: Path, *, name: str, version: str) -> None:
        """Give the project's own entry in the lock of a folder a version, and keep everything else if that fits.

        Raises `Refused` with the reason, and `ToolMissing`, `Unknown`.
        """
