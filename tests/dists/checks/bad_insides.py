"""Wheels that are valid archives with bad contents, and bad sdists."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable

from tests.dists.checks.cases import Case, File, sdist, sdist_with, wheel, wheel_with_member
from tests.dists.checks.packing import Member, Sdist, Wheel, digest_of, metadata, sparse, special

from unmoor.util.values import replace


def _without(rows: str, word: str) -> str:
    return "".join(line for line in rows.splitlines(keepends=True) if word not in line)


def _keep_form(name: str) -> File:
    return Wheel(name=name, info={"METADATA": None}).file()


def _points(text: str) -> Callable[[str], File]:
    """A wheel with these entry points."""
    return wheel(info={"entry_points.txt": text.encode()})


def _line_end(name: str) -> File:
    """A wheel with a member whose name contains a character that ends a line for Python."""
    return Wheel(
        name=name,
        files={"a\u2028b": b""},
        change=lambda ms: [replace(each, flags=0x800) if not each.name.isascii() else each for each in ms],
    ).file()


def _signature(name: str) -> File:
    return Wheel(name=name, info={"RECORD.jws": b"{}"}).file()


def _damaged_last(name: str) -> File:
    """Break the checksum of a header after PKG-INFO: tarfile stops there, and PyPI finds all that it looks for."""
    import gzip

    filename, data = Sdist(name=name, more=[(f"{Sdist(name=name).stem}/last", b"")]).file()
    plain = bytearray(gzip.decompress(data))
    plain[plain.index(b"/last") + 100] ^= 1
    return filename, gzip.compress(bytes(plain), mtime=0)


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
    *(
        Case(text or "no version", "wheel-format", wheel(info={"WHEEL": f"{text}\nTag: py3-none-any\n".encode()}), None)
        for text in ("Wheel-Version: 2.0", "Wheel-Version: 1", "Wheel-Version: 1.x", "Wheel-Version: one", "")
    ),
    Case("not text", "wheel-format", wheel(info={"WHEEL": b"\xff"}), None),
    Case("file at the top", "wheel-info", wheel(files={"other-1.0.dist-info": b""}), None),
    Case("none", "record-missing", wheel(record=lambda _: ""), "does not contain the required RECORD file"),
    Case("not UTF-8", "record-missing", lambda n: _record(n, b"\xff"), "does not contain the required RECORD file"),
    Case("a missing file", "record-files", wheel(record=lambda rows: _without(rows, "module")), None),
    Case("an extra file", "record-files", wheel(record=lambda rows: f"ghost.py,,\n{rows}"), None),
    Case("empty", "record-files", lambda n: _record(n, b""), None),
    Case("a file twice", "record-files", wheel(record=lambda rows: rows + rows.splitlines()[0] + "\n"), None),
    Case("its signature", "record-files", _signature, None),
    Case("a blank row", "record-rows", wheel(record=lambda rows: rows.replace("\n", "\n\n", 1)), "500"),
    Case("a blank row at the end", "record-rows", wheel(record=lambda rows: rows + "\n"), "500"),
    Case("a blank row first", "record-rows", wheel(record=lambda rows: "\r\n" + rows), "500"),
    Case("four fields", "record-rows", wheel(record=lambda rows: rows.replace("\n", ",\n", 1)), None),
    Case("one field", "record-rows", wheel(record=lambda rows: rows.replace("RECORD,,", "RECORD")), None),
    Case("two fields", "record-rows", wheel(record=lambda rows: rows.replace("RECORD,,", "RECORD,")), None),
    Case("blanks", "record-rows", wheel(record=lambda rows: rows + " \n"), None),
    Case("size is no number", "record-rows", wheel(record=lambda rows: rows.replace(",11\n", ",eleven\n")), None),
    Case("size below zero", "record-rows", wheel(record=lambda rows: rows.replace(",11\n", ",-11\n")), None),
    Case("a line end in a name", "record-rows", _line_end, None),
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
    Case("in [DEFAULT]", "entry-points", _points("[DEFAULT]\na/b = c:d\n[console_scripts]\n"), "invalid entry points"),
    *(
        Case(repr(text), "entry-points-target", _points(f"[x]\na = {text}\n"), None)
        for text in ("not a target!", "a:b:c", "", "a-b")
    ),
    *(
        Case(
            f"a {group} script called {name}",
            "entry-points-command",
            _points(f"[{group}_scripts]\n{name} = a:b\n"),
            None,
        )
        for name, group in [(".", "console"), ("..", "console"), ("..", "gui")]
    ),
    *(
        Case(repr(text), "entry-points-command", _points(f"[console_scripts]\nrun = {text}\n"), None)
        for text in ("a", "a:b:c", "a : b", "a:", ":b", "", "a..b:c", "a:b [c", "a:b [c, d-e]", "a:b c", "a-b:c")
    ),
    Case("of a window", "entry-points-command", _points("[gui_scripts]\nrun = a\n"), None),
    *(
        Case(name, "entry-points-lines", _points(text), None)
        for name, text in [
            ("a continued line", "[x]\na = b\n  c\n"),
            ("a ; comment", "[x]\n; words\na = b\n"),
            ("a default", "[DEFAULT]\na = b\n[x]\nc = d\n"),
            ("text after a section", "[x] y\na = b\n"),
        ]
    ),
    *(
        Case(name, "wheel-data", wheel(files={f"light_house-1.0.data/{name}": b""}), None)
        for name in ("unknown/x", "x", "scripts", "Scripts/x", "purelib.old/x")
    ),
    Case("another's", "wheel-data", wheel(files={"my.data/set.csv": b""}), None),
    *(
        Case(name, "wheel-collision", wheel(files={"a": b"", "b/c": b"", name: b""}), None)
        for name in (
            "a/b",
            "a/b/c",
            "light_house-1.0.data/purelib/a/b",
            "light_house-1.0.data/platlib/b",
            "light_house-1.0.dist-info/INSTALLER/x",
            "light_house-1.0.dist-info/RECORD/x",
        )
    ),
    Case("a folder", "wheel-collision", wheel(change=lambda ms: [*ms, Member(name=b"lighthouse_module.py/")]), None),
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
    Case(
        "SourceDefender, the end first",
        "encrypted-source",
        wheel(files={"locked.py": b"---END" + b" PYE FILE---\n---BEGIN" + b" PYE FILE---\n"}),
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
    Case("cut off", "tar-damaged", sdist(bend=lambda data: data[:-20]), None),
    Case("checksum", "tar-damaged", sdist(bend=lambda data: data[:-8] + b"\0\0\0\0" + data[-4:]), None),
    Case("the last header damaged", "tar-damaged", _damaged_last, None),
    Case("a header damaged", "tar-unreadable", sdist(bend=_damaged_header), "PKG-INFO not found"),
    Case("a header of 1 MiB", "tar-damaged", _long_header, None),
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
    Case("absolute", "tar-path", sdist(more=[("/etc/passwd", b"")]), "500"),
    Case("two levels", "tar-top-nested", lambda n: Sdist(name=n, top=f"a/{Sdist(name=n).stem}").file(), None),
    Case("all absolute", "tar-top-nested", lambda n: Sdist(name=n, top=f"/{Sdist(name=n).stem}").file(), None),
    Case(
        "a link",
        "tar-pkg-info-file",
        sdist_with(lambda top: special(f"{top}/PKG-INFO", tarfile.SYMTYPE, "x"), has_info=False),
        None,
    ),
    Case(
        "a folder",
        "tar-pkg-info-file",
        sdist_with(lambda top: special(f"{top}/PKG-INFO", tarfile.DIRTYPE), has_info=False),
        None,
    ),
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
    Case(
        "PKG-INFO twice",
        "tar-duplicate",
        lambda n: Sdist(name=n, more=[(f"{Sdist(name=n).stem}/PKG-INFO", metadata(n))]).file(),
        None,
    ),
    Case(
        "64 MiB of zeros in an sdist",
        "archive-bomb-sdist",
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
