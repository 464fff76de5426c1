"""The lock file of a project, which repeats its version."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class ProjectLock(Protocol):
    """Brings a lock file up to date with the project's own files."""

    def update(self, folder: Path) -> None:
        """Update the lock of the project in a folder, and keep the versions of its dependencies.

        Raises `Refused` with the reason, and `ToolMissing`, `Unknown`.
        """
