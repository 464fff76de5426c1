"""Write valid and invalid wheels and sdists. Every byte of the ZIP and tar formats can be set; nothing is random."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import struct
import tarfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from unmoor.util.values import replace

STORED, DEFLATED = 0, 8
_DATE = 0x5821


@dataclass(frozen=True, kw_only=True)
class Member:
    """One member of a ZIP archive. ``local`` changes only its own header; the other fields also its directory entry."""

    name: bytes
    data: bytes = b""
    method: int = DEFLATED
    flags: int = 0
    mode: int = 0o100644
    extra: bytes = b""
    central_extra: bytes = b""
    comment: bytes = b""
    size: int | None = None
    crc: int | None = None
    raw: bytes | None = None
    local: Mapping[str, int | bytes] = field(default_factory=dict)
    before: bytes = b""
    after: bytes = b""
    is_listed: bool = True
    is_there: bool = True

    @property
    def packed(self) -> bytes:
        """The bytes as stored in the archive."""
        if self.raw is not None:
            return self.raw
        if self.method != DEFLATED:
            return self.data
        deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
        return deflate.compress(self.data) + deflate.flush()

    def fields(self) -> dict[str, int]:
        """The fields of both headers: method, flags, checksum and sizes."""
        return {
            "method": self.method,
            "flags": self.flags,
            "crc": zlib.crc32(self.data) if self.crc is None else self.crc,
            "packed": len(self.packed),
            "size": len(self.data) if self.size is None else self.size,
        }

    def header(self) -> bytes:
        """The header before the data."""
        fields = {**self.fields(), "name": self.name, "extra": self.extra, **self.local}
        numbers = [fields[key] for key in ("flags", "method")]
        sizes = [fields[key] for key in ("crc", "packed", "size")]
        name, extra = fields["name"], fields["extra"]
        assert isinstance(name, bytes)
        assert isinstance(extra, bytes)
        fixed = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, *numbers, 0, _DATE, *sizes, len(name), len(extra))
        return fixed + name + extra

    def entry(self, offset: int) -> bytes:
        """The entry in the directory."""
        fields, extra = self.fields(), self.central_extra
        fixed = struct.pack(
            "<4s6H3L5H2L",
            b"PK\x01\x02",
            (3 << 8) | 20,
            20,
            fields["flags"],
            fields["method"],
            0,
            _DATE,
            fields["crc"],
            fields["packed"],
            fields["size"],
            len(self.name),
            len(extra),
            len(self.comment),
            0,
            0,
            self.mode << 16,
            offset,
        )
        return fixed + self.name + extra + self.comment


@dataclass(frozen=True, kw_only=True)
class Tail:
    """How the archive ends. The numbers are added to the correct values."""

    comment: bytes = b""
    after: bytes = b""
    count: int = 0
    size: int = 0
    offset: int = 0
    disk: int = 0
    zip64: bool = False
    locator: int = 0
    extensible: bytes = b""


def pack(members: Sequence[Member], tail: Tail | None = None, before: bytes = b"") -> bytes:
    """Write a ZIP archive."""
    tail = tail or Tail()
    out, offsets = bytearray(before), []
    for member in members:
        if member.is_there:
            out += member.before
        offsets.append(len(out))
        if member.is_there:
            out += member.header() + member.packed + member.after
    begun = len(out)
    listed = [(member, offset) for member, offset in zip(members, offsets, strict=True) if member.is_listed]
    for member, offset in listed:
        out += member.entry(offset)
    count, size, offset = len(listed) + tail.count, len(out) - begun + tail.size, begun + tail.offset
    if tail.zip64:
        at = len(out)
        length = 44 + len(tail.extensible)
        out += struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", length, 45, 45, 0, 0, count, count, size, offset)
        out += tail.extensible
        out += struct.pack("<4sLQL", b"PK\x06\x07", 0, at + tail.locator, 1)
    out += struct.pack("<4s4H2LH", b"PK\x05\x06", tail.disk, 0, count, count, size, offset, len(tail.comment))
    return bytes(out + tail.comment + tail.after)


def metadata(name: str, version: str = "1.0", *lines: str, declared: str = "2.4", body: str = "Words.\n") -> bytes:
    """METADATA with the required fields and additional lines."""
    kind = () if any(line.startswith("Description-Content-Type") for line in lines) or not body else (_KIND,)
    head = [f"Metadata-Version: {declared}", f"Name: {name}", f"Version: {version}", *kind, *lines]
    return ("\n".join(head) + f"\n\n{body}").encode()


_KIND = "Description-Content-Type: text/markdown"


def digest_of(data: bytes) -> str:
    """A SHA-256 digest in the format of RECORD."""
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


@dataclass(frozen=True, kw_only=True)
class Wheel:
    """A wheel. ``change`` modifies its members, including RECORD, before they are packed."""

    name: str
    version: str = "1.0"
    tag: str = "py3-none-any"
    lines: Sequence[str] = ()
    text: bytes | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)
    info: Mapping[str, bytes | None] = field(default_factory=dict)
    folder: str = ""
    filename: str = ""
    record: Callable[[str], str] = lambda rows: rows
    change: Callable[[list[Member]], list[Member]] = lambda members: members
    tail: Tail = Tail()
    before: bytes = b""

    @property
    def stem(self) -> str:
        """The name and version, as in file names."""
        return f"{self.name.replace('-', '_').replace('.', '_').lower()}-{self.version}"

    def file(self) -> tuple[str, bytes]:
        """File name and bytes."""
        folder = self.folder or f"{self.stem}.dist-info"
        own = {
            "METADATA": self.text if self.text is not None else metadata(self.name, self.version, *self.lines),
            "WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\n{_tags(self.tag)}".encode(),
            **self.info,
        }
        files = {"lighthouse_module.py": b"lit = True\n", **self.files}
        files |= {f"{folder}/{name}": data for name, data in own.items() if data is not None}
        rows = "".join(f"{name},sha256={digest_of(data)},{len(data)}\n" for name, data in files.items())
        record = self.record(f"{rows}{folder}/RECORD,,\n")
        files |= {f"{folder}/RECORD": record.encode()} if record else {}
        members = [Member(name=name.encode(), data=data) for name, data in files.items()]
        data = pack(self.change(members), self.tail, self.before)
        return self.filename or f"{self.stem}-{self.tag}.whl", data


def _tags(tag: str) -> str:
    interpreters, abi, platforms = tag.split("-")
    pairs = [(one, each) for one in interpreters.split(".") for each in platforms.split(".")]
    return "".join(f"Tag: {one}-{abi}-{platform}\n" for one, platform in pairs)


def member(data: bytes = b"lit = True\n", **how: object) -> Callable[[list[Member]], list[Member]]:
    """Modify the first member of a wheel: ``lighthouse_module.py``, which RECORD lists with its hash."""

    def change(members: list[Member]) -> list[Member]:
        return [replace(members[0], data=data, **how), *members[1:]]  # type: ignore[arg-type]  # by field name

    return change


Entry = tuple[str, bytes] | tarfile.TarInfo


@dataclass(frozen=True, kw_only=True)
class Sdist:
    """An sdist. ``more`` are additional members. ``inside`` follows the tar archive, ``after`` the gzip file."""

    name: str
    version: str = "1.0"
    lines: Sequence[str] = ()
    text: bytes | None = None
    top: str = ""
    more: Sequence[Entry] = ()
    has_info: bool = True
    inside: bytes = b""
    after: bytes = b""
    filename: str = ""
    bend: Callable[[bytes], bytes] = lambda data: data

    @property
    def stem(self) -> str:
        """The name and version, as in file names."""
        return f"{self.name.replace('-', '_').replace('.', '_').lower()}-{self.version}"

    def file(self) -> tuple[str, bytes]:
        """File name and bytes."""
        top = self.top or self.stem
        text = self.text if self.text is not None else metadata(self.name, self.version, *self.lines)
        plain: list[Entry] = [(f"{top}/pyproject.toml", b"[build-system]\nrequires = []\n")]
        plain += [(f"{top}/PKG-INFO", text)] if self.has_info else []
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as archive:
            for each in (*plain, *self.more):
                if isinstance(each, tarfile.TarInfo):
                    archive.addfile(each, io.BytesIO(bytes(each.size)))
                    continue
                info = tarfile.TarInfo(each[0])
                info.size = len(each[1])
                archive.addfile(info, io.BytesIO(each[1]))
        packed = gzip.compress(out.getvalue() + self.inside, mtime=0)
        return self.filename or f"{self.stem}.tar.gz", self.bend(packed) + self.after


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    """A link, device or pipe."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def sparse(name: str) -> tarfile.TarInfo:
    """A sparse member without data, as GNU tar writes it in a pax header."""
    info = tarfile.TarInfo(name)
    info.pax_headers = {
        "GNU.sparse.major": "0",
        "GNU.sparse.minor": "1",
        "GNU.sparse.map": "0,0",
        "GNU.sparse.size": "0",
    }
    return info
