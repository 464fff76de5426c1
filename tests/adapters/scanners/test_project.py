"""A project for a scanner needs exactly what a wheel says, on the Pythons that count."""

from __future__ import annotations

import pytest

from unmoor.adapters.scanners.project import supported
from unmoor.ports.environments import Interpreter


@pytest.mark.parametrize(
    ("declared", "version", "range_"),
    [
        ("", "3.12.1", ">=3.12"),
        (">=3.8", "3.12.1", ">=3.12"),
        (">=3.8,<3.13", "3.12.1", ">=3.12"),
        (">=3.14", "3.12.1", ">=3.14"),
        ("==3.11.*", "3.12.1", "==3.11.*"),
        ("nonsense", "3.12.1", ">=3.12"),
        (">=3.8", "", ""),
    ],
)
def test_supported(declared: str, version: str, range_: str) -> None:
    """Old Pythons get old dependencies, so only this one and later ones count, unless the project excludes it."""
    assert supported(declared, Interpreter(version=version, path="/python")) == range_
