"""Check the contents of a wheel: its dist-info folder, WHEEL and RECORD (PEP 427)."""

from __future__ import annotations

import base64
import csv
import hashlib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from email.parser import HeaderParser
from typing import TYPE_CHECKING, NamedTuple

from packaging.tags import Tag, parse_tag

from unmoor.dists.checks.rules import By, CheckRule, Problem, violation

if TYPE_CHECKING:
    from hashlib import _Hash

INFO = CheckRule(
    name="wheel-info", refuses="a wheel with several dist-info folders, or with another project's", by=By.INSTALLERS
)
WHEEL = CheckRule(name="wheel-file", refuses="a wheel without WHEEL in its dist-info folder")
METADATA = CheckRule(name="wheel-metadata", refuses="a wheel without METADATA in its dist-info folder")
SHADOWED = CheckRule(
    name="wheel-metadata-shadowed", refuses="a second METADATA that twine would send instead", by=By.UPLOADER
)
FORMAT = CheckRule(
    name="wheel-format", refuses="a WHEEL file that is unreadable or of another major version", by=By.INSTALLERS
)
TAGS = CheckRule(name="wheel-tags", refuses="a WHEEL file with other tags than the file name", by=By.UNMOOR, warns=True)
NO_RECORD = CheckRule(name="record-missing", refuses="a wheel without a readable RECORD")
ROWS = CheckRule(
    name="record-rows",
    refuses="a RECORD with a blank row, or a row that is not a path, a hash and a size",
    by=By.INSTALLERS,
)
RECORD = CheckRule(
    name="record-files", refuses="a RECORD that misses files, or lists missing ones or one twice", by=By.UNMOOR
)
HASH = CheckRule(
    name="record-hash", refuses="a RECORD with a wrong hash or size, or without a strong hash", by=By.UNMOOR
)
RULES = (INFO, WHEEL, METADATA, SHADOWED, FORMAT, TAGS, NO_RECORD, ROWS, RECORD, HASH)

_VERSION = re.compile(r"1\.\d+", re.ASCII)
_ROW = 3
# RECORD lists no hash for itself, and does not list its signatures (PEP 427).
_SIGNATURES = ("RECORD.jws", "RECORD.p7s")
_SHA256 = "sha256"
_STRONG = (_SHA256, "sha384", "sha512")


class Row(NamedTuple):
    """One line of RECORD: algorithm and digest, and the size in bytes. Each is empty if it is missing."""

    algorithm: str
    digest: str
    size: str

    def fault(self, found: bytes, size: int) -> str:
        """Explain how a file with that digest and size differs from this line. Empty if it does not."""
        if self.size and self.size != str(size):
            return f"has {size} bytes, but RECORD says {self.size}"
        encoded = base64.urlsafe_b64encode(found).decode().rstrip("=")
        return "" if encoded == self.digest.rstrip("=") else "has another hash than in RECORD"


def info_folder(filename: str) -> str:
    """The dist-info folder that PyPI expects in a wheel: spelt exactly as in the file name."""
    return "-".join(filename.split("-")[:2]) + ".dist-info"


def check_dist_info(folder: str, names: Collection[str]) -> Iterator[Problem]:
    """Check that there is one dist-info folder with the required files."""
    folders = {top for name in names if (top := name.split("/")[0]).endswith(".dist-info")}
    for other in sorted(folders - {folder}):
        yield violation(INFO, f"it contains {other}, but should contain only {folder}")
    if f"{folder}/WHEEL" not in names:
        yield violation(WHEEL, f"{folder}/WHEEL is missing")
    if f"{folder}/METADATA" not in names:
        yield violation(METADATA, f"{folder}/METADATA is missing")
    if f"{folder}/RECORD" not in names:
        yield violation(NO_RECORD, f"{folder}/RECORD is missing")


def shadowing_files(folder: str, names: Collection[str]) -> list[str]:
    """List the files that twine would read before METADATA: it takes the first of the least nested matches."""
    own = (2, [folder, "METADATA"])
    found = sorted((len(parts), parts) for name in names if "METADATA" in name and (parts := name.split("/")))
    return ["/".join(parts) for depth, parts in found if (depth, parts) < own]


def check_shadowing(name: str, data: bytes) -> Iterator[Problem]:
    """Check a file that twine would read before METADATA."""
    if b"Metadata-Version" in data:
        yield violation(SHADOWED, f"twine would send {name} as the metadata")


def check_wheel_file(data: bytes, tags: frozenset[Tag]) -> Iterator[Problem]:
    """Check the bytes of WHEEL against the tags in the file name."""
    try:
        fields = HeaderParser().parsestr(data.decode())
    except UnicodeError:
        yield violation(FORMAT, "its WHEEL file is not UTF-8")
        return
    version = str(fields.get("Wheel-Version", "")).strip()
    if _VERSION.fullmatch(version) is None:
        version = version or "(missing)"
        yield violation(FORMAT, f"its WHEEL file has Wheel-Version {version}, but installers support 1.x")
    try:
        declared = {tag for line in fields.get_all("Tag", ()) for tag in parse_tag(str(line).strip())}
    except ValueError:
        declared = set()
    if declared != tags:
        yield violation(TAGS, "its WHEEL file has other tags than the file name")


def read_record(folder: str, data: bytes, problems: list[Problem]) -> Mapping[str, Row] | None:
    """Read RECORD and add what is wrong with its rows to ``problems``. Returns ``None`` if it cannot be read.

    pip and PyPI read it with ``csv``, line by line, and fail at a blank one; installer wants three fields in each row,
    and uv a size that is a number.
    """
    rows: dict[str, Row] = {}
    try:
        for number, line in enumerate(csv.reader(data.decode().splitlines()), 1):
            if fault := _row_fault(line):
                problems.append(violation(ROWS, f"row {number} of {folder}/RECORD {fault}"))
            name, hashed, size = (*line, "", "", "")[:_ROW]
            algorithm, _, digest = hashed.partition("=")
            name = name.replace("\\", "/")
            if name in rows and line:
                problems.append(violation(RECORD, f"row {number} of {folder}/RECORD lists {name} again"))
            if line:
                rows[name] = Row(algorithm, digest, size)
    except (UnicodeError, csv.Error) as error:
        problems.append(violation(NO_RECORD, f"cannot read {folder}/RECORD: {error}"))
        return None
    return rows


def _row_fault(line: Sequence[str]) -> str:
    """What is wrong with a row. Empty if it has a path, a hash and a size, the last two perhaps empty."""
    if not line:
        return "is blank"
    if len(line) != _ROW:
        return f"has {len(line)} fields instead of {_ROW}: {','.join(line)}"
    size = line[-1]
    return "" if not size or (size.isascii() and size.isdecimal()) else f"has a size that is no number: {size}"


def check_record(folder: str, rows: Mapping[str, Row], names: Sequence[str]) -> Iterator[Problem]:
    """Compare RECORD with the files in the wheel. It does not list folders and signatures."""
    exempt = {f"{folder}/{name}" for name in _SIGNATURES}
    files = {name for name in names if not name.endswith("/")} - exempt
    for name in sorted(files - rows.keys()):
        yield violation(RECORD, f"{name} is not in RECORD")
    for name in sorted(rows.keys() - files - exempt):
        yield violation(RECORD, f"{name} is in RECORD but not in the wheel")
    for name in sorted(exempt & rows.keys()):
        yield violation(RECORD, f"{name} is a signature, which RECORD does not list")
    for name in sorted((files & rows.keys()) - {f"{folder}/RECORD"}):
        if rows[name].algorithm not in _STRONG:
            yield violation(HASH, f"{name} has no sha256 in RECORD")


def hasher(row: Row | None) -> _Hash | None:
    """The hash to compute for a file, or ``None`` if RECORD has no strong hash for it."""
    if row is None or row.algorithm not in _STRONG:
        return None
    return hashlib.sha256() if row.algorithm == _SHA256 else hashlib.new(row.algorithm)
