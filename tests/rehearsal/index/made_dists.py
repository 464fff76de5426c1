"""Small wheels and sdists, made in memory, and their upload forms."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from unmoor.util.values import replace


def _metadata(name: str, version: str) -> bytes:
    return f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\nRequires-Python: >=3.9\n".encode()


def wheel(name: str, version: str, *, tag: str = "py3-none-any", source: str = "") -> tuple[str, bytes]:
    """Return the file name and bytes of a wheel with one module."""
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    members = {
        f"{module}.py": source.encode(),
        f"{info}/METADATA": _metadata(name, version),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: {tag}\n".encode(),
    }
    record = "".join(f"{path},,\n" for path in members) + f"{info}/RECORD,,\n"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, data in {**members, f"{info}/RECORD": record.encode()}.items():
            archive.writestr(zipfile.ZipInfo(path), data)
    return f"{module}-{version}-{tag}.whl", out.getvalue()


def sdist(name: str, version: str, *, suffix: str = ".tar.gz", top: str = "") -> tuple[str, bytes]:
    """Return the file name and bytes of an sdist with metadata and no code."""
    stem = f"{name.replace('-', '_')}-{version}"
    members = {"PKG-INFO": _metadata(name, version), "pyproject.toml": b"[build-system]\nrequires = []\n"}
    out = io.BytesIO()
    if suffix == ".zip":
        with zipfile.ZipFile(out, "w") as archive:
            for path, data in members.items():
                archive.writestr(zipfile.ZipInfo(f"{top or stem}/{path}"), data)
    else:
        with tarfile.open(fileobj=out, mode="w:gz") as tar:
            for path, data in members.items():
                info = tarfile.TarInfo(f"{top or stem}/{path}")
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    return f"{stem}{suffix}", out.getvalue()


def write(folder: Path, *files: tuple[str, bytes]) -> list[str]:
    """Write files to a folder, and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files:
        (folder / name).write_bytes(data)
    return [str(folder / name) for name, _ in files]


@dataclass(frozen=True)
class Upload:
    """A valid upload; tests change it to make it invalid."""

    filename: str
    data: bytes
    form: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, file: tuple[str, bytes], name: str, version: str) -> Upload:
        """Make the form of a file as twine does."""
        filename, data = file
        kind = "bdist_wheel" if filename.endswith(".whl") else "sdist"
        form = {
            ":action": "file_upload",
            "protocol_version": "1",
            "metadata_version": "2.4",
            "name": name,
            "version": version,
            "filetype": kind,
            "pyversion": "py3" if kind == "bdist_wheel" else "source",
            "requires_python": ">=3.9",
            "sha256_digest": hashlib.sha256(data).hexdigest(),
            "blake2_256_digest": hashlib.blake2b(data, digest_size=32).hexdigest(),
        }
        return cls(filename, data, form)

    def but(self, **changes: Any) -> Upload:
        """Return a copy with other fields; ``None`` removes one, ``action`` stands for ``:action``."""
        named = {":action" if name == "action" else name: value for name, value in changes.items()}
        form = {name: value for name, value in {**self.form, **named}.items() if value is not None}
        return replace(self, form=form)

    def named(self, filename: str) -> Upload:
        """Return a copy with another file name."""
        return replace(self, filename=filename)
