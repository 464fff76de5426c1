"""Small wheels with any metadata, written without a build."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

from unmoor.artifacts.files import describe_file
from unmoor.products import File


def sample_wheel(
    folder: Path,
    *lines: str,
    name: str = "demo",
    version: str = "1.0",
    tag: str = "py3-none-any",
    more: Mapping[str, bytes] | None = None,
) -> File:
    """Write a wheel with these lines in its metadata; ``more`` are further files of its ``.dist-info`` folder.

    The same content gives the same bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-{tag}.whl"
    info = f"{name}-{version}.dist-info"
    head = ("Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}")
    files = {
        f"{name}/__init__.py": b"",
        f"{info}/METADATA": "\n".join((*head, *lines, "")).encode(),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n".encode(),
        **{f"{info}/{place}": data for place, data in (more or {}).items()},
        f"{info}/RECORD": b"",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for place, data in files.items():
            archive.writestr(zipfile.ZipInfo(place), data)
    return describe_file(path)
