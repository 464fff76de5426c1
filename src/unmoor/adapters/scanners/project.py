"""A folder with a project that needs exactly one wheel, for a scanner that resolves what a project needs.

The wheel in it has only the metadata of the real one. So it fits every platform, and nothing of it is ever run.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import tomli_w
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from unmoor.ports.environments import Interpreter
from unmoor.ports.scanner import Requirements

NAME = "unmoor-scanned"
"""The name of the project, which no scanner asks about."""

_WHEEL = "Wheel-Version: 1.0\nGenerator: unmoor\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def write_wheel(folder: Path, needs: Requirements) -> Path:
    """Write a wheel that holds nothing but the metadata, and return its path."""
    stem = f"{canonicalize_name(needs.project).replace('-', '_')}-{needs.version.replace('-', '_')}"
    path = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in (("METADATA", needs.metadata), ("WHEEL", _WHEEL), ("RECORD", "")):
            # With the first time that a ZIP file can hold, whatever the clock of this machine says.
            archive.writestr(zipfile.ZipInfo(f"{stem}.dist-info/{name}"), text)
    return path


def write_project(folder: Path, needs: Requirements, python: Interpreter) -> None:
    """Write the wheel, and a project that needs it with all its extras."""
    address = write_wheel(folder, needs).as_uri()
    project: dict[str, Any] = {
        "name": NAME,
        "version": "0",
        "requires-python": supported(needs.python, python),
        "dependencies": [f"{needs.project} @ {address}"],
        "optional-dependencies": {
            f"x{at}": [f"{needs.project}[{extra}] @ {address}"] for at, extra in enumerate(needs.extras)
        },
    }
    # Few packages for other implementations have wheels, and without one nothing can be resolved.
    own = {"uv": {"environments": ["platform_python_implementation == 'CPython'"]}}
    (folder / "pyproject.toml").write_text(tomli_w.dumps({"project": project, "tool": own}), encoding="utf-8")


def supported(declared: str, python: Interpreter) -> str:
    """The versions of Python to resolve for: this one and later ones, or what is declared if that leaves it out.

    A package that still supports an old Python gets old dependencies there, which nobody can update.
    """
    own = f">={'.'.join(python.version.split('.')[:2])}" if python.version else ""
    try:
        fits = not declared or Version(python.version) in SpecifierSet(declared)
    except (InvalidSpecifier, InvalidVersion):
        return own
    return own if fits else declared
