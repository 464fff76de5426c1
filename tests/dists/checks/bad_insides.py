"""Wheels that are valid archives with bad contents, and bad sdists."""

from __future__ import annotations

import io
import tarfile
import zipfile
from dataclasses import replace

from tests.dists.checks.cases import Case, File, sdist, sdist_with, wheel, wheel_with_member
from tests.dists.checks.packing import Member, Sdist, Wheel, digest_of, sparse, special


def _without(rows: str, word: str) -> str:
    return "".join(line for line in rows.splitlines(keepends=True) if word not in line)


def _keep_form(name: str) -> File:
    return Wheel(name=name, info={"METADATA": None}).file()


WHEELS = (
    Case("two", "wheel-info", wheel(files={"other-1.0.dist-info/WHEEL": b""}), None),
    Case(
        "another project's",
        "wheel-file",
        wheel(folder="other-1.0.dist-info"),
        "WHEEL not found at",
    ),
    Case("none", "wheel-file", wheel(info={"WHEEL": None}), "WHEEL not found at"),
    Case("nothing at all", "wheel-file", wheel(change=lambda _: []), "WHEEL not found at"),
    Case("none", "wheel-metadata", _keep_form, "does not contain the required METADATA file"),
    Case("at the top", "wheel-metadata-shadowed", wheel(files={"METADATA": b"Metadata-Version: 2.1\nName: x\n"}), None),
    Case("version 2", "wheel-format", wheel(info={"WHEEL": b"Wheel-Version: 2.0\nTag: py3-none-any\n"}), None),
    Case("not text", "wheel-format", wheel(info={"WHEEL": b"\xff"}), None),
    Case("none", "record-missing", wheel(record=lambda _: ""), "does not contain the required RECORD file"),
    Case("not UTF-8", "record-missing", lambda n: _record(n, b"\xff"), "does not contain the required RECORD file"),
    Case("a missing file", "record-files", wheel(record=lambda rows: _without(rows, "module")), None),
    Case("an extra file", "record-files", wheel(record=lambda rows: f"ghost.py,,\n{rows}"), None),
    Case("another hash", "record-hash", wheel_with_member(b"lit = None\n"), None),
    Case("another size", "record-hash", wheel(record=lambda rows: rows.replace(",11\n", ",12\n")), None),
    Case("no hash", "record-hash", wheel(record=lambda r: r.replace("sha256=" + digest_of(b"lit = True\n"), "")), None),
    Case("md5", "record-hash", wheel(record=lambda rows: rows.replace("sha256=", "md5=")), None),
    Case("no section", "entry-points", wheel(info={"entry_points.txt": b"a = b:c\n"}), "has invalid entry points"),
    Case("twice", "entry-points", wheel(info={"entry_points.txt": b"[x]\na = b\na = c\n"}), "has invalid entry points"),
    Case("not UTF-8", "entry-points", wheel(info={"entry_points.txt": b"\xff"}), "has invalid entry points"),
    Case(
        "a path",
        "entry-points",
        wheel(info={"entry_points.txt": b"[console_scripts]\n../../evil = a:b\n"}),
        "has invalid entry points",
    ),
    Case("no target", "entry-points", wheel(info={"entry_points.txt": b"[x]\na = not a target!\n"}), None),
    Case(
        "PyArmor",
        "encrypted-source",
        wheel(files={"locked.py": b"__pyarmor" + b"__(__name__, __file__, b'')\n"}),
        "PyArmor-encrypted content is not allowed",
    ),
    Case(
        "SourceDefender",
        "encrypted-source",
        wheel(files={"locked.pye": b"---BEGIN" + b" PYE FILE---\nx\n---END" + b" PYE FILE---\n"}),
        "SourceDefender-encrypted content is not allowed",
    ),
)


def _record(name: str, data: bytes) -> File:
    def change(members: list[Member]) -> list[Member]:
        return [*members[:-1], replace(members[-1], data=data)]

    return Wheel(name=name, change=change).file()


def _zip_behind(name: str) -> File:
    """An sdist with a ZIP archive appended."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(zipfile.ZipInfo("other"), "x")
    return Sdist(name=name, after=out.getvalue()).file()


def _damaged_header(data: bytes) -> bytes:
    """Break the checksum of the second header, which tarfile reads as the end of the archive."""
    import gzip

    plain = bytearray(gzip.decompress(data))
    plain[1024 + 148] ^= 1
    return gzip.compress(bytes(plain), mtime=0)


def _long_header(name: str) -> File:
    info = tarfile.TarInfo(f"{Sdist(name=name).stem}/x")
    info.pax_headers = {"comment": "x" * (1 << 20)}
    return Sdist(name=name, more=[info]).file()


SDISTS = (
    Case(
        "not an archive", "tar-unreadable", lambda n: (Sdist(name=n).file()[0], b"no archive"), "File is not a tarfile"
    ),
    Case("cut in half", "tar-unreadable", sdist(bend=lambda data: data[: len(data) // 2]), "Invalid distribution file"),
    Case("cut off", "tar-unreadable", sdist(bend=lambda data: data[:-20]), None),
    Case("checksum", "tar-unreadable", sdist(bend=lambda data: data[:-8] + b"\0\0\0\0" + data[-4:]), None),
    Case("a header damaged", "tar-unreadable", sdist(bend=_damaged_header), "PKG-INFO not found"),
    Case("a header of 1 MiB", "tar-unreadable", _long_header, None),
    Case("ZIP appended", "tar-or-zip", _zip_behind, "File is both a zip and a tar file"),
    Case("inside", "tar-trailing", sdist(inside=b"more"), None),
    Case("two folders", "tar-top", sdist(more=[("other/file", b"")]), "Incorrect number of top-level directories"),
    Case("no folder", "tar-top", sdist(more=[("file", b"")]), "Incorrect number of top-level directories"),
    Case("another name", "tar-top-name", sdist(top="other-1.0"), None),
    Case("another version", "tar-top-name", lambda n: Sdist(name=n, top=f"{n}-2.0").file(), None),
    Case(
        "none", "tar-pkg-info", sdist_with(lambda top: (f"{top}/setup.py", b""), has_info=False), "PKG-INFO not found"
    ),
    Case(
        "below ./", "tar-pkg-info", lambda n: Sdist(name=n, top=f"./{Sdist(name=n).stem}").file(), "PKG-INFO not found"
    ),
    Case("leads out", "tar-path", sdist_with(lambda top: (f"{top}/../{top}/x", b"")), None),
    Case("absolute", "tar-top", sdist(more=[("/etc/passwd", b"")]), "Incorrect number of top-level directories"),
    Case("unprintable", "tar-path", sdist_with(lambda top: (f"{top}/a\nb", b"")), None),
    Case("absolute", "tar-link", sdist_with(lambda top: special(f"{top}/x", tarfile.SYMTYPE, "/etc/passwd")), None),
    Case("leads out", "tar-link", sdist_with(lambda top: special(f"{top}/x", tarfile.SYMTYPE, "../../x")), None),
    Case("hard link out", "tar-link", sdist_with(lambda top: special(f"{top}/x", tarfile.LNKTYPE, "other/x")), None),
    Case(
        "below a link",
        "tar-link",
        sdist_with(lambda top: special(f"{top}/x", tarfile.SYMTYPE, "y"), lambda top: (f"{top}/x/z", b"")),
        None,
    ),
    Case("device", "tar-device", sdist_with(lambda top: special(f"{top}/x", tarfile.CHRTYPE)), None),
    Case("pipe", "tar-device", sdist_with(lambda top: special(f"{top}/x", tarfile.FIFOTYPE)), None),
    Case("sparse file", "tar-sparse", sdist_with(lambda top: sparse(f"{top}/x")), "Sparse members are not allowed"),
    Case("PKG-INFO twice", "tar-duplicate", sdist_with(lambda top: (f"{top}/PKG-INFO", b"")), None),
    Case(
        "64 MiB of zeros in an sdist",
        "archive-bomb",
        sdist_with(lambda top: (f"{top}/zeros", bytes((64 << 20) + 1))),
        None,
    ),
    Case(
        "PyArmor in an sdist",
        "encrypted-source",
        sdist_with(lambda top: (f"{top}/x.py", b"__pyarmor" + b"_enter__")),
        "PyArmor-encrypted content is not allowed",
    ),
)
