"""List the files of an image from the stream of ``docker save``, within limits and without unpacking it.

Engines write three layouts: ``<id>/layer.tar`` (Docker up to version 24), ``<digest>.tar`` (podman), and an OCI layout
with the layers in ``blobs/sha256``. All list the layers in ``manifest.json``, which may come last. A layer may be a
link to another.
"""

from __future__ import annotations

import contextlib
import io
import posixpath
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any

from unmoor import advice
from unmoor.errors import InvalidDist, Unknown
from unmoor.ports.engine import Member
from unmoor.util.decode import decode_json
from unmoor.util.text import clean
from unmoor.util.values import replace

# All layers together: this many files and this many bytes of the stream.
COUNT_LIMIT = 2_000_000
TOTAL_LIMIT = 50_000_000_000
_TEXT_LIMIT = 10_000_000
_BLOCK = 1_048_576
# Small files are searched for a private key, in their first bytes.
_KEY_FILE = 100_000
_KEY_HEAD = 4_096


class ChunkReader(io.RawIOBase):
    """An iterator of bytes, as a file that can be read once."""

    def __init__(self, chunks: Iterator[bytes], *, limit: int = TOTAL_LIMIT) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")
        self._left = limit

    def readable(self) -> bool:
        """Return true."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # typeshed says WriteableBuffer
        """Read some bytes. Raises `InvalidDist` beyond the limit."""
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._left -= len(chunk)
            if self._left < 0:
                raise InvalidDist("the image is too large to inspect", next_step=advice.SHRINK_IMAGE())
            self._rest = memoryview(chunk)
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


@dataclass(kw_only=True)
class _Reading:
    """The state of a read: layers by path in the archive, links between them, and the layers of each image."""

    found: dict[str, list[Member]] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    images: dict[str, list[str]] | None = None
    count: int = 0

    def files(self, names: list[str]) -> Iterator[Member]:
        """The files of some layers, the lowest first. Raises `Unknown` for a missing layer."""
        for number, name in enumerate(names):
            path = self.links.get(name, name)
            if path not in self.found:
                raise Unknown(
                    f"the engine's archive lacks the layer {clean(name, 80)}", otherwise=advice.CHECK_DOCKER_SAVE()
                )
            yield from (replace(member, layer=number) for member in self.found[path])


def contents_of(chunks: Iterator[bytes]) -> Mapping[str, tuple[Member, ...]]:
    """Every file of every layer, by the digest of each image's configuration. Raises `Unknown`, `InvalidDist`."""
    reading = _Reading()
    stream = io.BufferedReader(ChunkReader(chunks), _BLOCK)
    with _translated_errors(), tarfile.open(fileobj=stream, mode="r|", bufsize=_BLOCK) as archive:
        for entry in archive:
            _read_entry(archive, entry, reading)
    if not reading.images:
        raise Unknown("the engine's archive of the image lists no layers", otherwise=advice.CHECK_DOCKER_SAVE())
    return {config: tuple(reading.files(names)) for config, names in reading.images.items()}


@contextlib.contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, zlib.error, EOFError, ValueError, TypeError, KeyError, OSError) as error:
        raise Unknown(
            f"cannot read the engine's archive of the image: {clean(str(error))}", otherwise=advice.CHECK_DOCKER_SAVE()
        ) from error


def _read_entry(archive: tarfile.TarFile, entry: tarfile.TarInfo, reading: _Reading) -> None:
    """Read one entry of the archive: the list of layers, a layer, or a link to one."""
    name = entry.name
    if entry.issym():
        reading.links[name] = posixpath.normpath(posixpath.join(posixpath.dirname(name), entry.linkname))
        return
    file = archive.extractfile(entry) if entry.isreg() else None
    if file is None:
        return
    if name == "manifest.json":
        images = decode_json(file.read(_TEXT_LIMIT), list[dict[str, Any]])
        reading.images = {_digest(image["Config"]): [str(layer) for layer in image["Layers"]] for image in images}
    elif name.endswith(".tar") or name.startswith("blobs/"):
        reading.found[name] = _read_layer(file, reading)


def _digest(config: str) -> str:
    """The digest in the path of a configuration: ``<digest>.json`` or ``blobs/sha256/<digest>``."""
    return f"sha256:{posixpath.basename(config).removesuffix('.json')}"


def _read_layer(file: IO[bytes], reading: _Reading) -> list[Member]:
    """The files of one layer; none for a blob that is JSON, as configurations and manifests are."""
    stream = io.BufferedReader(_Forward(file), _BLOCK)
    if stream.peek(1)[:1] in {b"{", b"["}:
        return []
    members = []
    with tarfile.open(fileobj=stream, mode="r|*", bufsize=_BLOCK) as layer:
        for entry in layer:
            # The library keeps every entry: a layer with a million files would fill the memory.
            layer.members.clear()  # type: ignore[attr-defined]  # not in typeshed
            if entry.isdir():
                continue
            reading.count += 1
            if reading.count > COUNT_LIMIT:
                raise InvalidDist(f"the image has more than {COUNT_LIMIT} files", next_step=advice.SHRINK_IMAGE())
            members.append(_member(layer, entry))
    return members


def _member(layer: tarfile.TarFile, entry: tarfile.TarInfo) -> Member:
    holds = ""
    if entry.isreg() and 0 < entry.size <= _KEY_FILE:
        file = layer.extractfile(entry)
        head = file.read(_KEY_HEAD) if file is not None else b""
        holds = "private key" if b"-----BEGIN " in head and b"PRIVATE KEY-----" in head else ""
    path = posixpath.normpath(entry.name.lstrip("/"))
    return Member(layer=0, path=path, size=entry.size if entry.isreg() else 0, holds=holds)


class _Forward(io.RawIOBase):
    """A file inside an archive, as a stream without seek."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def readable(self) -> bool:
        """Return true."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # typeshed says WriteableBuffer
        """Read some bytes."""
        chunk = self._file.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)
