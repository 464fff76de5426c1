"""Bad file names, and wheels that are not valid ZIP archives."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

from tests.dists.checks.cases import LIMIT, Case, File, renamed, sdist, wheel, wheel_with_member
from tests.dists.checks.packing import STORED, Member, Sdist, Tail, Wheel, member, metadata, pack

from unmoor.util.values import replace


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


def _tagged(tag: str) -> Callable[[str], File]:
    """A wheel with these tags in its name only."""
    return renamed(wheel(), lambda each: each.replace("py3-none-any", tag))


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
    # The installed version of packaging refuses these; the one that PyPI uses accepts them.
    *(
        Case(
            name,
            "file-name-tag",
            _tagged(tag),
            "invalid tag component",
        )
        for name, tag in [("no ABI", "py3--any"), ("no tag between", "py3..py2-none-any"), ("digit", "3py-none-any")]
    ),
    Case(
        "another character",
        "file-name-unsafe",
        renamed(wheel(), lambda each: each.replace("-py3-", "-1~x-py3-")),
        "Invalid filename",
    ),
    Case(
        "longer than file systems allow",
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
            "ios_13_0_arm64_iphoneos_iphoneos",
        )
    ),
    *(
        Case(platform, "wheel-platform-tail", wheel(tag=f"cp311-cp311-{platform}"), None)
        for platform in ("ios_13_0_arm64_iphoneos_2", "ios_13_0_x86_64_iphonesimulators", "pyemscripten_1_0_wasm32x")
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


def _shuffled(members: list[Member]) -> list[Member]:
    """A member that is twice in the archive and once in the directory."""
    return [replace(members[0], is_listed=False), *members]


def _twice(members: list[Member]) -> list[Member]:
    return [members[0], *members]


def _only_data(name: str, **how: object) -> File:
    """A wheel whose first member, which is not source, is modified."""
    change = member(b"lit = True\n", name=b"lighthouse.bin", **how)
    return Wheel(
        name=name, record=lambda rows: rows.replace("lighthouse_module.py", "lighthouse.bin"), change=change
    ).file()


def _info_with(name: str, file: str, **how: object) -> File:
    """A wheel with one file of its dist-info folder modified."""

    def change(members: list[Member]) -> list[Member]:
        end = f".dist-info/{file}".encode()
        return [replace(each, **how) if each.name.endswith(end) else each for each in members]  # type: ignore[arg-type]

    return Wheel(name=name, change=change).file()


def _flagged(name: str, file: str, flag: int) -> File:
    return _info_with(name, file, flags=flag)


def _moved(name: str, offset: int) -> File:
    """A wheel with another offset of a member, which is not source, in the directory."""
    filename, data = Wheel(name=name, files={"data.bin": b"words"}).file()
    at = data.rindex(b"data.bin", 0, data.rindex(b"PK\5\6")) - 4
    while not data.startswith(b"PK\1\2", at - 42):
        at = data.rindex(b"data.bin", 0, at) - 4
    return filename, data[:at] + struct.pack("<L", offset) + data[at + 4 :]


def _zeros(name: str) -> File:
    return Wheel(name=name, files={"zeros.bin": bytes((64 << 20) + 1)}).file()


ZIPS = (
    Case(
        "not an archive",
        "zip-unreadable",
        lambda name: (Wheel(name=name).file()[0], b"not an archive"),
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
        "a script in front",
        "zip-directory",
        wheel(before=b"#!/bin/sh\n", tail=Tail(offset=-10)),
        "Invalid distribution file",
    ),
    Case("bytes in front", "zip-gap", wheel(before=b"#!/bin/sh\n"), "Unknown record signature"),
    Case("bytes between", "zip-gap", wheel_with_member(after=b"between"), "Unknown record signature"),
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
    Case("two disks", "zip-ends", wheel(tail=Tail(disk=1)), None),
    # PyPI's version of Python refuses this one, older ones do not.
    Case("misplaced locator", "zip-ends", wheel(tail=Tail(zip64=True, locator=1)), "ZIP archive not accepted"),
    Case(
        "extensible data",
        "zip-unreadable",
        wheel(tail=Tail(zip64=True, extensible=b"extensible")),
        "Invalid distribution file",
    ),
    Case("an offset that leads nowhere", "zip-offset", lambda n: _moved(n, 7), None),
    Case("an offset of another member", "zip-offset", lambda n: _moved(n, 0), None),
    Case("twice", "zip-duplicate", wheel(change=_twice), "Duplicate filename in local headers"),
    Case(
        "another name",
        "zip-mismatch",
        wheel_with_member(local={"name": b"lighthouse_morsel.py"}),
        "Invalid distribution file",
    ),
    Case("another size", "zip-mismatch", wheel_with_member(local={"size": 12}), "Mis-matched file size"),
    Case("another packed size", "zip-mismatch", wheel_with_member(local={"packed": 5}), "Mis-matched data size"),
    Case("another checksum", "zip-header", wheel_with_member(local={"crc": 1}), None),
    Case("another method", "zip-header", wheel_with_member(local={"method": STORED}), None),
    Case("sizes after the data", "zip-descriptor", wheel_with_member(flags=8), "ZIP contains a data descriptor"),
    Case("cut off", "zip-extra", wheel_with_member(extra=b"abc"), "Malformed zip file"),
    Case("second name twice", "zip-extra", wheel_with_member(extra=unicode_path(b"a") * 2), "Invalid duplicate extra"),
    Case(
        "second name, unprintable",
        "zip-extra",
        wheel_with_member(extra=unicode_path(b"a\0")),
        "Invalid character in filename",
    ),
    Case(
        "second name, not UTF-8",
        "zip-extra",
        wheel_with_member(extra=unicode_path(b"\xff")),
        "Filename not valid UTF-8",
    ),
    Case("ZIP64 of invalid length", "zip-extra", wheel_with_member(extra=extra(1, bytes(5))), "Malformed zip file"),
    Case(
        "ZIP64 without sizes",
        "zip-extra",
        wheel_with_member(extra=extra(1, b""), local={"size": 0xFFFFFFFF}),
        "Malformed zip file",
    ),
    Case("ZIP64 with one size", "zip-extra", wheel_with_member(extra=extra(1, bytes(8))), "Malformed zip file"),
    Case(
        "ZIP64 with other sizes",
        "zip-mismatch",
        wheel_with_member(extra=extra(1, struct.pack("<QQ", 11, 99))),
        "Mis-matched data size",
    ),
    Case("cut off, in the directory", "zip-extra-directory", wheel_with_member(central_extra=b"abc"), None),
    Case("ZIP64 without need", "zip-extra-directory", wheel_with_member(central_extra=extra(1, bytes(16))), None),
    Case(
        "ZIP64 of invalid length, in the directory",
        "zip-extra-directory",
        wheel_with_member(central_extra=extra(1, bytes(3))),
        None,
    ),
    Case("on a member", "zip-comment", wheel_with_member(comment=b"words"), "Comment in central directory"),
    Case(
        "bzip2",
        "zip-method",
        wheel_with_member(method=12, raw=b"BZh"),
        "File does not use a supported compression type",
    ),
    Case("flag", "zip-encrypted", lambda name: _only_data(name, flags=1), None),
    Case("flag of METADATA", "zip-encrypted", lambda n: _flagged(n, "METADATA", 1), "500"),
    Case("patched data", "zip-unsupported", lambda name: _only_data(name, flags=0x20), None),
    Case("patched source", "zip-unsupported", wheel_with_member(flags=0x20), "500"),
    Case("patched RECORD", "zip-unsupported", lambda n: _flagged(n, "RECORD", 0x20), "500"),
    Case("patched data, in a header", "zip-header", wheel_with_member(local={"flags": 0x20}), None),
    Case("line end", "zip-name", wheel_with_member(name=b"a\nb.py"), "Invalid character in filename"),
    Case("not UTF-8", "zip-name", wheel_with_member(name=b"\xe4.py"), "Filename not unicode"),
    Case("not marked", "zip-name", wheel_with_member(name="ä.py".encode()), "Filename not in central directory"),
    Case("absolute", "zip-path", wheel_with_member(name=b"/etc/passwd"), None),
    Case("leads out", "zip-path", wheel_with_member(name=b"../evil.py"), None),
    Case("leads out of a folder", "zip-path", wheel_with_member(name=b"a/../../evil.py"), None),
    Case("drive", "zip-path", wheel_with_member(name=b"C:evil.py"), None),
    Case("backslash", "zip-path", wheel_with_member(name=b"..\\evil.py"), None),
    Case("longer than file systems allow", "zip-path", wheel_with_member(name=b"a/" + b"b" * 256), None),
    Case("two slashes", "zip-path", wheel_with_member(name=b"a//b.py"), None),
    Case("symbolic link", "zip-link", wheel_with_member(mode=0o120777), None),
    Case("checksum", "zip-damaged", lambda name: _only_data(name, crc=1), None),
    Case("checksum of source", "zip-damaged-source", wheel_with_member(crc=1), "Invalid distribution file"),
    Case("checksum of WHEEL", "zip-damaged-source", lambda n: _info_with(n, "WHEEL", crc=1), "Invalid distribution"),
    Case("checksum of RECORD", "zip-damaged", lambda n: _info_with(n, "RECORD", crc=1), "500"),
    Case("longer than it says", "zip-damaged", lambda name: _only_data(name, size=4), None),
    Case("shorter than it says", "zip-damaged", lambda name: _only_data(name, size=4000), None),
    Case("packed bytes broken", "zip-damaged", lambda name: _only_data(name, raw=b"\xff\xff\xff"), None),
    Case("a folder with data", "zip-damaged", wheel_with_member(name=b"folder/"), None),
    Case("64 MiB of zeros", "archive-bomb", _zeros, "File exceeds compression ratio of 50"),
)
