"""An inventory: a program that lists what is in a container image."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class ImageInventory(Protocol):
    """Lists the packages in an image, by a program of the user's."""

    @property
    def program(self) -> str:
        """The program that lists them, empty if it is not installed."""

    def describe(self, archive: Path, *, patience: float) -> str:
        """Describe an image in an archive, as an engine saves it, within ``patience`` seconds: CycloneDX 1.6 as JSON.

        What a program prints is not checked here. Raises `ToolMissing` if it is not installed, and `Unknown` if it
        fails, takes too long or prints too much.
        """
