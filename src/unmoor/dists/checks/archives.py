"""Checks that wheels and sdists share as archives: member names, unpacked size, encrypted source."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from unmoor.dists.checks.rules import By, CheckRule, Problem, violation
from unmoor.ports.world import WheelPlatforms

MEMBERS = CheckRule(name="archive-members", refuses="more than 200,000 members", by=By.UNMOOR)
BOMB = CheckRule(name="archive-bomb", refuses="a wheel that unpacks to more than 50 times its size, beyond 64 MiB")
SDIST_BOMB = CheckRule(
    name="archive-bomb-sdist",
    refuses="an sdist that unpacks to more than 50 times its size, beyond 64 MiB",
    by=By.UNMOOR,
)
LONG = CheckRule(
    name="archive-metadata-size", refuses="a METADATA, RECORD, PKG-INFO or the like of more than 10 MB", by=By.UNMOOR
)
TOTAL = CheckRule(name="archive-total", refuses="a file that unpacks to more than 10 GiB", by=By.UNMOOR)
ENCRYPTED_SOURCE = CheckRule(name="encrypted-source", refuses="source encrypted by PyArmor or SourceDefender")
RULES = (MEMBERS, BOMB, SDIST_BOMB, TOTAL, LONG, ENCRYPTED_SOURCE)

COUNT_LIMIT = 200_000
# The longest member that is read into memory, in bytes.
MEMBER_LIMIT = 10_000_000
# Files are read and unpacked in chunks of this many bytes, small enough for the allocator to reuse them at once.
CHUNK = 1 << 16
# PyPI scans source files up to this size, in bytes.
_SOURCE_LIMIT = 5 << 20
_SOURCES = (".py", ".pye")
# Each marker is split in two, because a file that contains a whole one is refused, including this file.
_ENDINGS = (b"_enter__", b"_exit__", b"_assert__", b"_bcc__", b"__(__name__, __file__,")
_ENCRYPTED = tuple(b"__pyarmor" + ending for ending in _ENDINGS)
_WRAPPED = (b"---BEGIN" + b" PYE FILE---", b"---END" + b" PYE FILE---")

# Matches most file names: no component starts with a dot or is empty, and there is no drive.
_PLAIN = re.compile(rb"[A-Za-z0-9_][A-Za-z0-9_.-]+(?:/[A-Za-z0-9_][A-Za-z0-9_.+-]*)*")
# The longest name of a file or folder in common file systems, in bytes.
_COMPONENT_LIMIT = 255
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Size limits in bytes, and the platforms whose wheels the index accepts. The defaults are PyPI's, if it has one.

    ``file`` limits the file itself, and ``total`` what it unpacks to. Beyond ``ratio_from`` bytes, it may unpack to
    at most ``ratio`` times its size.
    """

    file: int = 100 << 20
    total: int = 10 << 30
    ratio: int = 50
    ratio_from: int = 64 << 20
    platforms: WheelPlatforms = WheelPlatforms.PUBLIC


def check_expansion(unpacked: int, packed: int, limits: Limits, bomb: CheckRule = BOMB) -> Iterator[Problem]:
    """Check the unpacked size of a file against its limits. ``bomb`` is the rule about its ratio."""
    if unpacked > limits.ratio_from and unpacked > limits.ratio * packed:
        yield violation(bomb, f"it unpacks to {unpacked} bytes, more than {limits.ratio} times its {packed} bytes")
    if unpacked > limits.total:
        yield violation(TOTAL, f"it unpacks to {unpacked} bytes, but the limit is {limits.total}")


def is_plain(name: bytes) -> bool:
    """Whether a quick match shows that `path_fault` finds nothing wrong with a file name."""
    return len(name) <= _COMPONENT_LIMIT and _PLAIN.fullmatch(name) is not None


def path_fault(name: str) -> str:
    """Explain why no installer should write a member of that name. Empty if it may.

    Folder names end in a slash. Backslashes and drives mean something on Windows only.
    """
    if _UNPRINTABLE.search(name):
        return "has an unprintable character"
    if name.startswith("/"):
        return "is an absolute path"
    if name[1:2] == ":":
        return f"begins with the drive {name[:2]} of Windows"
    if "\\" in name:
        return "contains a backslash"
    return _component_fault(name.removesuffix("/").split("/"))


def _component_fault(parts: list[str]) -> str:
    if ".." in parts:
        return "leads out of the archive"
    if any(len(part.encode("utf-8", "replace")) > _COMPONENT_LIMIT for part in parts):
        return "has a component that is too long for a file name"
    return "is not a plain path" if "" in parts or "." in parts else ""


def is_source(name: str, size: int) -> bool:
    """Whether PyPI scans a member for encrypted source."""
    return size <= _SOURCE_LIMIT and name.lower().endswith(_SOURCES)


def may_be_encrypted(source: bytes) -> bool:
    """Whether `check_encryption` may find something. A quick test that most files fail."""
    return _ENCRYPTED[0][:10] in source or _WRAPPED[0] in source


def check_encryption(name: str, source: bytes) -> Iterator[Problem]:
    """Check whether the bytes of a source file are encrypted."""
    if b"__pyarmor" in source and any(word in source for word in _ENCRYPTED):
        yield violation(ENCRYPTED_SOURCE, f"{name} was encrypted by PyArmor")
    if _WRAPPED[0] in source and _WRAPPED[1] in source:
        yield violation(ENCRYPTED_SOURCE, f"{name} was encrypted by SourceDefender")
