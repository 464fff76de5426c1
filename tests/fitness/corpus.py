"""Bad files, each with the rule that it breaks here, and what PyPI says of it: ``None`` where PyPI takes it.

What PyPI says is told from its source (warehouse/forklift/legacy.py, forklift/metadata.py and
utils/zipfiles.py at 6b62157); the local world's index must say the same.
"""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace

from tests.fitness.packing import (
    STORED,
    Entry,
    Member,
    Sdist,
    Tail,
    Wheel,
    digest_of,
    member,
    metadata,
    pack,
    sparse,
    special,
)

File = tuple[str, bytes]
LIMIT = 200_000
"""Bytes that a file of the corpus may have, here and at the index."""


@dataclass(frozen=True)
class Case:
    """One bad file, made for a project of any name: the rule it breaks, and PyPI's words."""

    name: str
    rule: str
    make: Callable[[str], File]
    index: str | None

    def __str__(self) -> str:
        return f"{self.rule}: {self.name}"


def said(*lines: str, **how: object) -> Callable[[str], File]:
    """A wheel with more metadata."""
    return lambda name: Wheel(name=name, text=metadata(name, "1.0", *lines, **how)).file()  # type: ignore[arg-type]


def wheel(**how: object) -> Callable[[str], File]:
    """A wheel."""
    return lambda name: Wheel(name=name, **how).file()  # type: ignore[arg-type]


def bent(data: bytes = b"lit = True\n", **how: object) -> Callable[[str], File]:
    """A wheel whose first member is bent."""
    return wheel(change=member(data, **how))


def sdist(**how: object) -> Callable[[str], File]:
    """An sdist."""
    return lambda name: Sdist(name=name, **how).file()  # type: ignore[arg-type]


def with_(*more: Callable[[str], Entry], has_info: bool = True) -> Callable[[str], File]:
    """An sdist with members that depend on the name of its folder."""
    return lambda name: Sdist(name=name, more=[each(Sdist(name=name).stem) for each in more], has_info=has_info).file()


def renamed(make: Callable[[str], File], change: Callable[[str], str]) -> Callable[[str], File]:
    """A good file under another name."""

    def made(name: str) -> File:
        filename, data = make(name)
        return change(filename), data

    return made


def zip_sdist(name: str) -> File:
    """An sdist in the old format."""
    stem = Sdist(name=name).stem
    files = {f"{stem}/PKG-INFO": metadata(name), f"{stem}/setup.py": b""}
    return f"{stem}.zip", pack([Member(name=path.encode(), data=data) for path, data in files.items()])


def extra(kind: int, data: bytes) -> bytes:
    """An extra field."""
    return struct.pack("<HH", kind, len(data)) + data


def unicode_path(name: bytes) -> bytes:
    """A second name for ``lighthouse_module.py``."""
    return extra(0x7075, b"\1" + struct.pack("<L", zlib.crc32(b"lighthouse_module.py")) + name)


def _long_name(name: str) -> File:
    """A wheel whose name has 250 bytes."""
    tag = "-py3-none-any.whl"
    filename, data = Wheel(name=name).file()
    return filename.replace(tag, f"-1{'a' * (248 - len(filename))}{tag}"), data


NAMES = (
    Case("no version", "file-name", renamed(wheel(), lambda _: "lighthouse.whl"), "Unable to parse name and version"),
    Case(
        "too few tags",
        "file-name",
        renamed(wheel(), lambda each: each.replace("-py3-none-any", "-py3-none")),
        "Invalid wheel filename",
    ),
    Case(
        "longer than a file system takes",
        "file-name-length",
        _long_name,
        "Filename is too long",
    ),
    Case("a ZIP archive", "sdist-name", zip_sdist, "is invalid, should be"),
    Case(
        "name not normalised",
        "sdist-name",
        renamed(sdist(), lambda each: each.replace("_", "-")),
        "is invalid, should be",
    ),
    Case(
        "version not normalised",
        "sdist-name",
        lambda name: Sdist(name=name, version="1.0", filename=f"{Sdist(name=name).stem}.0.tar.gz").file(),
        "is invalid, should be",
    ),
    Case(
        "name not normalised",
        "wheel-project",
        lambda name: Wheel(
            name=name,
            folder=f"{name.replace('-', '.')}-1.0.dist-info",
            filename=f"{name.replace('-', '.')}-1.0-py3-none-any.whl",
        ).file(),
        "should contain the normalized project name",
    ),
    Case(
        "another version",
        "wheel-version",
        lambda name: Wheel(name=name, version="1.1", text=metadata(name, "1.0")).file(),
        "Version in filename should be",
    ),
    *(
        Case(platform, "wheel-platform", wheel(tag=f"cp311-cp311-{platform}"), "unsupported platform tag")
        for platform in (
            "linux_x86_64",
            "manylinux_2_17_x86_64.linux_x86_64",
            "manylinux2010_aarch64",
            "manylinux_2_17_mips",
            "musllinux_1_2_ppc64",
            "macosx_11_1_arm64",
            "macosx_16_0_arm64",
            "macosx_10_9_arm",
            "win_mips",
            "freebsd_14_0_amd64",
            "pyodide_2024_0_wasm32",
            "ios_13_0_arm64_watchos",
        )
    ),
)

SIZES = (
    Case(
        "beyond the limit",
        "file-size",
        lambda name: Wheel(
            name=name, files={"big.bin": bytes(LIMIT)}, change=lambda ms: [replace(m, method=STORED) for m in ms]
        ).file(),
        "File too large",
    ),
)

METADATA = (
    Case("unknown field", "metadata-unreadable", said("No-Such-Field: x"), None),
    Case("field twice", "metadata-unreadable", said("Summary: one", "Summary: two"), "'summary' has invalid data"),
    Case("version nobody knows", "metadata-version", said(declared="9.9"), "is not a valid metadata version"),
    Case("version PyPI does not know", "metadata-version", said(declared="2.6"), "is not a valid metadata version"),
    Case(
        "no version",
        "metadata-version",
        lambda name: Wheel(name=name, text=metadata(name).partition(b"\n")[2]).file(),
        "is not a valid metadata version",
    ),
    Case(
        "expression in 2.3",
        "metadata-newer",
        said("License-Expression: MIT", declared="2.3"),
        "introduced in metadata version",
    ),
    Case(
        "dynamic in 2.1",
        "metadata-newer",
        said("Dynamic: Requires-Dist", declared="2.1"),
        "introduced in metadata version",
    ),
    Case(
        "invalid",
        "metadata-name",
        lambda name: Wheel(name=name, text=metadata("-x-")).file(),
        "Start and end with a letter",
    ),
    Case(
        "UNKNOWN",
        "metadata-name",
        lambda name: Wheel(name=name, text=metadata("UNKNOWN")).file(),
        "This field is required",
    ),
    Case(
        "no version at all",
        "metadata-release",
        lambda name: Wheel(name=name, text=metadata(name).replace(b"Version: 1.0\n", b"")).file(),
        "is a required field",
    ),
    Case(
        "invalid",
        "metadata-release",
        lambda name: Wheel(name=name, text=metadata(name, "one")).file(),
        "is invalid for",
    ),
    Case(
        "local",
        "metadata-local",
        lambda name: Wheel(name=name, version="1.0+abc").file(),
        "The use of local versions in '1.0+abc' is not allowed",
    ),
    Case("513 characters", "metadata-summary", said(f"Summary: {'x' * 513}"), "must be 512 characters or less"),
    Case("two lines", "metadata-summary", said("Summary: one\n        two"), "must be a single line"),
    Case(
        "HTML",
        "metadata-content-type",
        said("Description-Content-Type: text/html"),
        "'description-content-type' must be one of",
    ),
    Case(
        "another charset",
        "metadata-content-type",
        said("Description-Content-Type: text/markdown; charset=latin-1"),
        "can only specify the UTF-8 charset",
    ),
    Case(
        "another variant",
        "metadata-content-type",
        said("Description-Content-Type: text/markdown; variant=Pandoc"),
        "valid Markdown variants",
    ),
    Case("Name", "metadata-dynamic", said("Dynamic: Name"), "is not allowed as a dynamic field"),
    Case("unknown", "metadata-dynamic", said("Dynamic: Colour"), "is not a valid dynamic field"),
    Case("blank inside", "metadata-extra", said("Provides-Extra: a b"), "is invalid for 'provides-extra'"),
    Case("words", "metadata-python", said("Requires-Python: three"), "is invalid for 'requires-python'"),
    Case("no requirement", "metadata-requirement", said("Requires-Dist: a b c"), "is invalid for 'requires-dist'"),
    Case("no requirement, provided", "metadata-requirement", said("Provides-Dist: a b c"), "'a b c' is invalid"),
    Case(
        "a URL", "metadata-direct", said("Requires-Dist: a @ https://example.org/a.whl"), "Can't have direct dependency"
    ),
    Case(
        "a URL, obsoleted",
        "metadata-direct",
        said("Obsoletes-Dist: a @ https://example.org/a"),
        "Can't have direct dependency",
    ),
    Case("unknown", "metadata-classifier", said("Classifier: Colour :: Blue"), "is not a valid classifier"),
    Case(
        "no longer taken",
        "metadata-classifier",
        said("Classifier: Natural Language :: Ukranian"),
        "has been deprecated",
    ),
    Case("private", "metadata-private", said("Classifier: Private :: Do Not Upload"), "is not a valid classifier"),
    Case("no domain", "metadata-email", said("Author-Email: A <nobody>"), "is not a valid email address"),
    Case("two dots, maintainer", "metadata-email", said("Maintainer-Email: a@b..c"), "is not a valid email address"),
    Case("no scheme", "metadata-url", said("Home-page: example.org"), "is not a valid url"),
    Case("another scheme", "metadata-url", said("Download-URL: ftp://example.org/a"), "is not a valid url"),
    Case("javascript", "metadata-url", said("Project-URL: Docs, javascript:alert(1)"), "is not a valid url"),
    Case("no URL", "metadata-url", said("Project-URL: Docs, "), "Must have a URL"),
    Case("no label", "metadata-url-label", said("Project-URL: , https://example.org"), "Must have a label"),
    Case(
        "33 characters",
        "metadata-url-label",
        said(f"Project-URL: {'x' * 33}, https://example.org"),
        "must be 32 characters or less",
    ),
    Case("keyword", "metadata-field", said("Import-Name: class", declared="2.5"), "is invalid for 'import-name'"),
)

LICENCES = (
    Case(
        "no expression",
        "licence-expression",
        said("License-Expression: Free as in beer"),
        "is invalid for 'license-expression'",
    ),
    Case("leads out", "licence-path", said("License-File: ../LICENSE"), "parent directory indicators"),
    Case("pattern", "licence-path", said("License-File: LICEN*"), "paths must be resolved"),
    Case("not in the wheel", "licence-missing", said("License-File: LICENSE"), "License-File LICENSE does not exist"),
    Case(
        "not in the sdist",
        "licence-missing",
        sdist(said=("License-File: LICENSE",)),
        "License-File LICENSE does not exist",
    ),
    Case(
        "licence and expression",
        "licence-both",
        said("License: MIT", "License-Expression: MIT"),
        "License is deprecated when License-Expression is present",
    ),
)

DESCRIPTIONS = (
    Case(
        "unknown directive",
        "description-rendering",
        said("Description-Content-Type: text/x-rst", body="Title\n=====\n\n.. nothing::\n"),
        "The description failed to render for 'text/x-rst'",
    ),
    Case(
        "Markdown taken for reStructuredText",
        "description-rendering",
        lambda name: Wheel(
            name=name,
            text=metadata(name, body="`a <b>`_ and `a <c>`_\n\n.. x::\n").replace(
                b"Description-Content-Type: text/markdown\n", b""
            ),
        ).file(),
        "in the default format of reStructuredText",
    ),
)


def _shuffled(members: list[Member]) -> list[Member]:
    """A member that stands twice in the archive, once in the directory."""
    return [replace(members[0], is_listed=False), *members]


def _twice(members: list[Member]) -> list[Member]:
    return [members[0], *members]


def _only_data(name: str, **how: object) -> File:
    """A wheel whose first member, no source, is bent."""
    change = member(b"lit = True\n", name=b"lighthouse.bin", **how)
    return Wheel(
        name=name, record=lambda rows: rows.replace("lighthouse_module.py", "lighthouse.bin"), change=change
    ).file()


def _zeros(name: str) -> File:
    return Wheel(name=name, files={"zeros.bin": bytes((64 << 20) + 1)}).file()


ZIPS = (
    Case(
        "no archive",
        "zip-unreadable",
        lambda name: (Wheel(name=name).file()[0], b"no archive"),
        "File is not a zipfile",
    ),
    Case(
        "cut off",
        "zip-unreadable",
        lambda n: (Wheel(name=n).file()[0], Wheel(name=n).file()[1][:-60]),
        "File is not a zipfile",
    ),
    Case("a line", "zip-trailing", wheel(tail=Tail(after=b"\nmore\n")), "Trailing data"),
    Case("another archive", "zip-trailing", wheel(tail=Tail(comment=b"", after=b"\0" * 30)), "Trailing data"),
    Case(
        "a script before",
        "zip-directory",
        wheel(before=b"#!/bin/sh\n", tail=Tail(offset=-10)),
        "Invalid distribution file",
    ),
    Case("bytes before", "zip-gap", wheel(before=b"#!/bin/sh\n"), "Unknown record signature"),
    Case("bytes between", "zip-gap", bent(after=b"between"), "Unknown record signature"),
    Case("once in the directory", "zip-hidden", wheel(change=_shuffled), "Duplicate filename in local headers"),
    Case(
        "not in the directory",
        "zip-hidden",
        wheel(change=lambda ms: [Member(name=b"hidden.py", data=b"x", is_listed=False), *ms]),
        "Filename not in central directory",
    ),
    Case(
        "only in the directory",
        "zip-hidden",
        wheel(change=lambda ms: [*ms, Member(name=b"missing.bin", is_there=False)]),
        "Missing filename in local headers",
    ),
    Case("other offset", "zip-directory", wheel(tail=Tail(offset=1)), "Invalid distribution file"),
    Case("fewer members", "zip-directory", wheel(tail=Tail(count=-1)), "Mismatched central directory records"),
    Case("more members", "zip-directory", wheel(tail=Tail(count=1)), "Mismatched central directory records"),
    Case("two ends", "zip-directory", wheel(tail=Tail(comment=b"PK\5\6" + bytes(18))), "WHEEL not found at"),
    Case("two disks", "zip-directory", wheel(tail=Tail(disk=1)), None),
    Case("locator elsewhere", "zip-directory", wheel(tail=Tail(zip64=True, locator=1)), "ZIP archive not accepted"),
    Case(
        "extensible data",
        "zip-directory",
        wheel(tail=Tail(zip64=True, extensible=b"extensible")),
        "Invalid distribution file",
    ),
    Case("twice", "zip-duplicate", wheel(change=_twice), "Duplicate filename in local headers"),
    Case(
        "another name",
        "zip-mismatch",
        bent(local={"name": b"lighthouse_morsel.py"}),
        "Invalid distribution file",
    ),
    Case("another size", "zip-mismatch", bent(local={"size": 12}), "Mis-matched file size"),
    Case("another packed size", "zip-mismatch", bent(local={"packed": 5}), "Mis-matched data size"),
    Case("another checksum", "zip-header", bent(local={"crc": 1}), None),
    Case("another method", "zip-header", bent(local={"method": STORED}), None),
    Case("sizes after the data", "zip-descriptor", bent(flags=8), "ZIP contains a data descriptor"),
    Case("cut off", "zip-extra", bent(extra=b"abc"), "Malformed zip file"),
    Case("second name twice", "zip-extra", bent(extra=unicode_path(b"a") * 2), "Invalid duplicate extra"),
    Case("second name, unprintable", "zip-extra", bent(extra=unicode_path(b"a\0")), "Invalid character in filename"),
    Case("second name, not UTF-8", "zip-extra", bent(extra=unicode_path(b"\xff")), "Filename not valid UTF-8"),
    Case("ZIP64 of odd length", "zip-extra", bent(extra=extra(1, bytes(5))), "Malformed zip file"),
    Case(
        "ZIP64 without sizes", "zip-extra", bent(extra=extra(1, b""), local={"size": 0xFFFFFFFF}), "Malformed zip file"
    ),
    Case("ZIP64 with one size", "zip-extra", bent(extra=extra(1, bytes(8))), "Malformed zip file"),
    Case(
        "ZIP64 with other sizes",
        "zip-mismatch",
        bent(extra=extra(1, struct.pack("<QQ", 11, 99))),
        "Mis-matched data size",
    ),
    Case("on a member", "zip-comment", bent(comment=b"words"), "Comment in central directory"),
    Case("bzip2", "zip-method", bent(method=12, raw=b"BZh"), "File does not use a supported compression type"),
    Case("flag", "zip-encrypted", lambda name: _only_data(name, flags=1), None),
    Case("line end", "zip-name", bent(name=b"a\nb.py"), "Invalid character in filename"),
    Case("not UTF-8", "zip-name", bent(name=b"\xe4.py"), "Filename not unicode"),
    Case("not marked", "zip-name", bent(name="ä.py".encode()), "Filename not in central directory"),
    Case("absolute", "zip-path", bent(name=b"/etc/passwd"), None),
    Case("leads out", "zip-path", bent(name=b"../evil.py"), None),
    Case("leads out of a folder", "zip-path", bent(name=b"a/../../evil.py"), None),
    Case("drive", "zip-path", bent(name=b"C:evil.py"), None),
    Case("backslash", "zip-path", bent(name=b"..\\evil.py"), None),
    Case("two slashes", "zip-path", bent(name=b"a//b.py"), None),
    Case("symbolic link", "zip-link", bent(mode=0o120777), None),
    Case("checksum", "zip-damaged", lambda name: _only_data(name, crc=1), None),
    Case("checksum of source", "zip-damaged", bent(crc=1), "Invalid distribution file"),
    Case("longer than it says", "zip-damaged", lambda name: _only_data(name, size=4), None),
    Case("shorter than it says", "zip-damaged", lambda name: _only_data(name, size=4000), None),
    Case("packed bytes broken", "zip-damaged", lambda name: _only_data(name, raw=b"\xff\xff\xff"), None),
    Case("a folder with bytes", "zip-damaged", bent(name=b"folder/"), None),
    Case("64 MiB of zeros", "archive-bomb", _zeros, "File exceeds compression ratio of 50"),
)


def _without(rows: str, word: str) -> str:
    return "".join(line for line in rows.splitlines(keepends=True) if word not in line)


def _keep_form(name: str) -> File:
    return Wheel(name=name, info={"METADATA": None}).file()


WHEELS = (
    Case("two", "wheel-info", wheel(files={"other-1.0.dist-info/WHEEL": b""}), None),
    Case(
        "another's",
        "wheel-file",
        wheel(folder="other-1.0.dist-info"),
        "WHEEL not found at",
    ),
    Case("none", "wheel-file", wheel(info={"WHEEL": None}), "WHEEL not found at"),
    Case("none", "wheel-metadata", _keep_form, "does not contain the required METADATA file"),
    Case("at the top", "wheel-metadata-shadowed", wheel(files={"METADATA": b"Metadata-Version: 2.1\nName: x\n"}), None),
    Case("version 2", "wheel-format", wheel(info={"WHEEL": b"Wheel-Version: 2.0\nTag: py3-none-any\n"}), None),
    Case("no text", "wheel-format", wheel(info={"WHEEL": b"\xff"}), None),
    Case("none", "record-missing", wheel(record=lambda _: ""), "does not contain the required RECORD file"),
    Case("not UTF-8", "record-missing", lambda n: _record(n, b"\xff"), "does not contain the required RECORD file"),
    Case("a file too few", "record-files", wheel(record=lambda rows: _without(rows, "module")), None),
    Case("a file too many", "record-files", wheel(record=lambda rows: f"ghost.py,,\n{rows}"), None),
    Case("another hash", "record-hash", bent(b"lit = None\n"), None),
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
    """An sdist with a ZIP archive behind it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(zipfile.ZipInfo("other"), "x")
    return Sdist(name=name, after=out.getvalue()).file()


def _damaged_header(data: bytes) -> bytes:
    """Break the checksum of the second header: tarfile takes that for the end."""
    import gzip

    plain = bytearray(gzip.decompress(data))
    plain[1024 + 148] ^= 1
    return gzip.compress(bytes(plain), mtime=0)


def _long_header(name: str) -> File:
    info = tarfile.TarInfo(f"{Sdist(name=name).stem}/x")
    info.pax_headers = {"comment": "x" * (1 << 20)}
    return Sdist(name=name, more=[info]).file()


SDISTS = (
    Case("no archive", "tar-unreadable", lambda n: (Sdist(name=n).file()[0], b"no archive"), "File is not a tarfile"),
    Case("cut in half", "tar-unreadable", sdist(bend=lambda data: data[: len(data) // 2]), "Invalid distribution file"),
    Case("cut off", "tar-unreadable", sdist(bend=lambda data: data[:-20]), None),
    Case("checksum", "tar-unreadable", sdist(bend=lambda data: data[:-8] + b"\0\0\0\0" + data[-4:]), None),
    Case("a header damaged", "tar-unreadable", sdist(bend=_damaged_header), "PKG-INFO not found"),
    Case("a header of 1 MiB", "tar-unreadable", _long_header, None),
    Case("ZIP behind", "tar-or-zip", _zip_behind, "File is both a zip and a tar file"),
    Case("inside", "tar-trailing", sdist(inside=b"more"), None),
    Case("two folders", "tar-top", sdist(more=[("other/file", b"")]), "Incorrect number of top-level directories"),
    Case("no folder", "tar-top", sdist(more=[("file", b"")]), "Incorrect number of top-level directories"),
    Case("another name", "tar-top-name", sdist(top="other-1.0"), None),
    Case("another version", "tar-top-name", lambda n: Sdist(name=n, top=f"{n}-2.0").file(), None),
    Case("none", "tar-pkg-info", with_(lambda top: (f"{top}/setup.py", b""), has_info=False), "PKG-INFO not found"),
    Case(
        "below ./", "tar-pkg-info", lambda n: Sdist(name=n, top=f"./{Sdist(name=n).stem}").file(), "PKG-INFO not found"
    ),
    Case("leads out", "tar-path", with_(lambda top: (f"{top}/../{top}/x", b"")), None),
    Case("absolute", "tar-top", sdist(more=[("/etc/passwd", b"")]), "Incorrect number of top-level directories"),
    Case("unprintable", "tar-path", with_(lambda top: (f"{top}/a\nb", b"")), None),
    Case("absolute", "tar-link", with_(lambda top: special(f"{top}/x", tarfile.SYMTYPE, "/etc/passwd")), None),
    Case("leads out", "tar-link", with_(lambda top: special(f"{top}/x", tarfile.SYMTYPE, "../../x")), None),
    Case("hard link out", "tar-link", with_(lambda top: special(f"{top}/x", tarfile.LNKTYPE, "other/x")), None),
    Case(
        "below a link",
        "tar-link",
        with_(lambda top: special(f"{top}/x", tarfile.SYMTYPE, "y"), lambda top: (f"{top}/x/z", b"")),
        None,
    ),
    Case("device", "tar-device", with_(lambda top: special(f"{top}/x", tarfile.CHRTYPE)), None),
    Case("pipe", "tar-device", with_(lambda top: special(f"{top}/x", tarfile.FIFOTYPE)), None),
    Case("hole", "tar-sparse", with_(lambda top: sparse(f"{top}/x")), "Sparse members are not allowed"),
    Case("PKG-INFO twice", "tar-duplicate", with_(lambda top: (f"{top}/PKG-INFO", b"")), None),
    Case(
        "64 MiB of zeros in an sdist", "archive-bomb", with_(lambda top: (f"{top}/zeros", bytes((64 << 20) + 1))), None
    ),
    Case(
        "PyArmor in an sdist",
        "encrypted-source",
        with_(lambda top: (f"{top}/x.py", b"__pyarmor" + b"_enter__")),
        "PyArmor-encrypted content is not allowed",
    ),
)

CASES = (*NAMES, *SIZES, *METADATA, *LICENCES, *DESCRIPTIONS, *ZIPS, *WHEELS, *SDISTS)
