"""What wheels and sdists have in common as archives: names of members, and how much they may unpack to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from unmoor.dists.checks.rules import By, CheckRule, Problem, violation

MEMBERS = CheckRule(name="archive-members", refuses="more than 200,000 members", by=By.UNMOOR)
BOMB = CheckRule(
    name="archive-bomb",
    refuses="a file that unpacks to more than 50 times its size, beyond 64 MiB",
)
TOTAL = CheckRule(name="archive-total", refuses="a file that unpacks to more than 10 GiB", by=By.UNMOOR)
ENCRYPTED_SOURCE = CheckRule(name="encrypted-source", refuses="source that PyArmor or SourceDefender encrypted")
RULES = (MEMBERS, BOMB, TOTAL, ENCRYPTED_SOURCE)

COUNT_LIMIT = 200_000
# A member that is read into memory, in bytes.
MEMBER_LIMIT = 10_000_000
# Files are read and unpacked in pieces of this many bytes: small enough for the allocator to use them again at once.
CHUNK = 1 << 16
# PyPI looks into source files up to this size, in bytes.
_SOURCE_LIMIT = 5 << 20
_SOURCES = (".py", ".pye")
# Written in two parts each: a file that holds one of these words whole is refused, this one too.
_ENDINGS = (b"_enter__", b"_exit__", b"_assert__", b"_bcc__", b"__(__name__, __file__,")
_ENCRYPTED = tuple(b"__pyarmor" + ending for ending in _ENDINGS)
_WRAPPED = (b"---BEGIN" + b" PYE FILE---", b"---END" + b" PYE FILE---")

# Most names of files: no component begins with a dot, nothing stands between two slashes, no drive.
_PLAIN = re.compile(rb"[A-Za-z0-9_][A-Za-z0-9_.-]+(?:/[A-Za-z0-9_][A-Za-z0-9_.+-]*)*")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much a file may hold, in bytes, and whether its platform counts. The defaults are PyPI's, if it has any."""

    file: int = 100 << 20
    total: int = 10 << 30
    ratio: int = 50
    ratio_from: int = 64 << 20
    any_platform: bool = False


def check_expansion(unpacked: int, packed: int, limits: Limits) -> Iterator[Problem]:
    """Judge how much a file unpacks to."""
    if unpacked > limits.ratio_from and unpacked > limits.ratio * packed:
        yield violation(BOMB, f"it unpacks to {unpacked} bytes, more than {limits.ratio} times its {packed} bytes")
    if unpacked > limits.total:
        yield violation(TOTAL, f"it unpacks to {unpacked} bytes, and the limit is {limits.total}")


def is_plain(name: bytes) -> bool:
    """Whether `path_fault` has nothing to say of a file's name, as far as a short look can tell."""
    return _PLAIN.fullmatch(name) is not None


def path_fault(name: str) -> str:
    """Say why no installer should write a member of that name; empty where it may.

    Folders end in a slash. A name with a backslash or a drive is a path on Windows alone.
    """
    if _UNPRINTABLE.search(name):
        return "has an unprintable character"
    if name.startswith("/") or name[1:2] == ":":
        return "is an absolute path"
    if "\\" in name:
        return "holds a backslash"
    parts = name.removesuffix("/").split("/")
    if ".." in parts:
        return "leads out of the archive"
    return "is not a plain path" if "" in parts or "." in parts else ""


def is_source(name: str, size: int) -> bool:
    """Whether PyPI looks into a member."""
    return size <= _SOURCE_LIMIT and name.lower().endswith(_SOURCES)


def may_be_encrypted(source: bytes) -> bool:
    """Whether `check_encryption` may have something to say: a short look, for the many that are not."""
    return _ENCRYPTED[0][:10] in source or _WRAPPED[0] in source


def check_encryption(name: str, source: bytes) -> Iterator[Problem]:
    """Judge the bytes of a source file."""
    if b"__pyarmor" in source and any(word in source for word in _ENCRYPTED):
        yield violation(ENCRYPTED_SOURCE, f"{name} was encrypted by PyArmor")
    if _WRAPPED[0] in source and _WRAPPED[1] in source:
        yield violation(ENCRYPTED_SOURCE, f"{name} was encrypted by SourceDefender")
