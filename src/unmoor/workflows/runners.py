"""GitHub's hosted runners."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from unmoor.config.workflows import System

RUNNERS: Final[Mapping[System, str]] = MappingProxyType(
    {
        "linux": "ubuntu-latest",
        "linux-arm": "ubuntu-24.04-arm",
        "macos": "macos-latest",
        "macos-intel": "macos-15-intel",
        "windows": "windows-latest",
        "windows-arm": "windows-11-arm",
    }
)
"""The label of the runner for each system."""
