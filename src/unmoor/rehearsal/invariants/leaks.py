"""I8: no secret in any output, label, history, file, address or log, in whatever form it is written there.

A file is searched from its beginning to its end. What unpacks from it is searched, too: archives and compressed files
as far as `LIMIT`, and git's objects, loose or packed.
"""

from __future__ import annotations

import base64
import io
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import msgspec

from unmoor.filesystem.safe_folder import open_regular
from unmoor.rehearsal.invariants.evidence import Finding
from unmoor.rehearsal.invariants.facts import Facts
from unmoor.rehearsal.invariants.git_objects import packed

LIMIT = 16 << 20
"""Bytes of a file from which something is unpacked, and of what comes of it."""
SHORTEST = 8
"""Characters of a secret. A shorter one is in many files by chance."""
OWN = frozenset({"world.toml", "credentials.json", "jobs.json"})
"""The files of a world that are where its credentials are kept."""
_DEEPEST = 3
_ENTRIES = 5000
_INNER = (".whl", ".zip", ".gz", ".tgz", ".tar")


def leaked_secrets(facts: Facts) -> Iterator[Finding]:
    """Search everything that the runs printed, sent and left."""
    evidence = facts.evidence
    forms = {
        form: f"secret {number} {how}"
        for number, secret in enumerate(evidence.secrets, 1)
        for form, how in _forms(secret)
    }
    if not forms:
        return
    for number, run in enumerate(evidence.runs, 1):
        text = "\0".join((*run.command, run.output, run.journal)).encode("utf-8", "replace")
        yield from _found(text, forms, f"output of run {number}")
    for root in dict.fromkeys((evidence.world, evidence.remote, *evidence.places)):
        for path in _files(root):
            if path.parent == evidence.world and path.name in OWN:
                continue
            where = path.relative_to(root.parent).as_posix() if path != root else path.name
            yield from _found(where.encode(), forms, f"name of {root.name}")
            for data in (*_contents(path, max(map(len, forms))), *_packed(path, evidence.world)):
                yield from _found(data, forms, where)


def _forms(secret: str) -> Iterator[tuple[bytes, str]]:
    """A secret as it may be written: as it is, in URLs, in JSON, in base64 at each place of other text, in hex."""
    if len(secret) < SHORTEST:
        return
    raw = secret.encode()
    yield raw, "as it is"
    yield quote(secret, safe="").encode(), "in the form of URLs"
    yield msgspec.json.encode(secret)[1:-1], "in the form of JSON"
    yield raw.hex().encode(), "in hexadecimal"
    for shift, unknown in ((0, 0), (1, 2), (2, 3)):
        text = base64.b64encode(b"\0" * shift + raw).rstrip(b"=")
        # The last character depends on what follows, unless it ends with a whole byte.
        text = text[unknown : None if (shift + len(raw)) % 3 == 0 else -1]
        yield text, "in base64"
        yield text.replace(b"+", b"-").replace(b"/", b"_"), "in base64"


def _found(data: bytes, forms: Mapping[bytes, str], where: str) -> Iterator[Finding]:
    for form, what in forms.items():
        if form in data:
            yield Finding(f"{what} is in it", where)


def _files(root: Path) -> Iterator[Path]:
    """Every plain file; sockets and links are none."""
    for path in sorted(root.rglob("*")) if root.is_dir() else [root]:
        if stat.S_ISREG(path.lstat().st_mode):
            yield path


def _contents(path: Path, longest: int) -> Iterator[bytes]:
    """The bytes of a file, in parts that overlap by what is searched for, and what unpacks from the first of them."""
    with open_regular(path) as stream:
        part = stream.read(LIMIT)
        yield from _unpacked(path.name, part, _DEEPEST)
        while more := stream.read(LIMIT):
            yield part[-longest:] + more
            part = more


def _packed(path: Path, world: Path) -> Iterator[bytes]:
    """The objects in a pack of git. One that is older than the credentials of the world cannot have them."""
    credentials = world / "credentials.json"
    if path.suffix != ".pack" or (credentials.exists() and path.stat().st_mtime < credentials.stat().st_mtime):
        return
    for data in packed(path):
        yield from _unpacked(path.name, data, _DEEPEST)


def _unpacked(name: str, data: bytes, depth: int) -> Iterator[bytes]:
    """The bytes of a file, and of everything that unpacks from them."""
    yield data
    if depth == 0:
        return
    try:
        if data.startswith((b"\x1f\x8b", b"\x78\x01", b"\x78\x9c", b"\x78\xda")):
            plain = zlib.decompressobj(wbits=47).decompress(data, LIMIT)
            yield from _unpacked(name.removesuffix(".gz"), plain, depth - 1)
        elif data.startswith(b"PK\x03\x04"):
            yield from _from_zip(data, depth)
        elif data[257:262] == b"ustar":
            yield from _from_tar(data, depth)
    except (zlib.error, zipfile.BadZipFile, tarfile.TarError, EOFError, NotImplementedError, RuntimeError, OSError):
        return  # it only looks like an archive, or was cut at the limit


def _from_zip(data: bytes, depth: int) -> Iterator[bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        left = LIMIT
        for entry in archive.infolist()[:_ENTRIES]:
            with archive.open(entry) as stream:
                content = stream.read(left)
            left -= len(content)
            yield from _unpacked(entry.filename, content, depth - 1)


def _from_tar(data: bytes, depth: int) -> Iterator[bytes]:
    """Only what is compressed inside: the rest is in the archive as it is."""
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for number, entry in enumerate(archive):
            if number >= _ENTRIES:
                return
            if entry.isfile() and entry.name.endswith(_INNER) and (stream := archive.extractfile(entry)) is not None:
                yield from _unpacked(entry.name, stream.read(LIMIT), depth - 1)
