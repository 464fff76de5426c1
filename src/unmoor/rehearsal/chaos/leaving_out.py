"""A build backend that does what the project's own does, and then leaves a file out of the wheel.

`unmoor.rehearsal.chaos.left_out` copies this file into a commit of the project, with the two facts that it needs beside
it. It runs in the environment of the build, so it needs nothing but the standard library of an old Python.
"""

from __future__ import annotations

import importlib
import io
import json
import tarfile
import zipfile
from pathlib import Path
from typing import Any

_FACTS = "facts.json"


def _facts() -> dict[str, str]:
    """Read which backend the project has, and the name of the file to leave out."""
    facts: dict[str, str] = json.loads(Path(__file__).with_name(_FACTS).read_text("utf-8"))
    return facts


def _backend() -> Any:
    module, _, inside = _facts()["backend"].partition(":")
    found: Any = importlib.import_module(module)
    for name in filter(None, inside.split(".")):
        found = getattr(found, name)
    return found


def __getattr__(name: str) -> Any:
    """Pass every other hook on to the project's own backend."""
    if name.startswith("__"):
        raise AttributeError(name)
    return getattr(_backend(), name)


def build_wheel(wheel_directory: str, config_settings: Any = None, metadata_directory: Any = None) -> str:
    """Build the wheel, and leave the file out."""
    name: str = _backend().build_wheel(wheel_directory, config_settings, metadata_directory)
    path, left_out = Path(wheel_directory, name), _facts()["file"]
    with zipfile.ZipFile(path) as archive:
        members = [(each, archive.read(each)) for each in archive.infolist()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for each, data in members:
            if each.filename.endswith(".dist-info/RECORD"):
                rows = data.decode("utf-8").splitlines(keepends=True)
                archive.writestr(each, "".join(row for row in rows if f"{left_out}," not in row))
            elif not each.filename.endswith(f"/{left_out}"):
                archive.writestr(each, data)
    return name


def build_sdist(sdist_directory: str, config_settings: Any = None) -> str:
    """Build the sdist, and add this backend, which the wheel is built with from it."""
    name: str = _backend().build_sdist(sdist_directory, config_settings)
    path, here = Path(sdist_directory, name), Path(__file__).resolve().parent
    with tarfile.open(path) as archive:
        members = [(each, archive.extractfile(each)) for each in archive.getmembers()]
        held = [(each, stream.read() if stream else None) for each, stream in members]
    top = name[: -len(".tar.gz")]
    known = {each.name for each, _ in held}
    for file in (Path(__file__).resolve(), here / _FACTS):
        member = tarfile.TarInfo(f"{top}/{here.name}/{file.name}")
        data = file.read_bytes()
        member.size = len(data)
        if member.name not in known:
            held.append((member, data))
    with tarfile.open(path, "w:gz") as archive:
        for each, content in held:
            archive.addfile(each, None if content is None else io.BytesIO(content))
    return name
