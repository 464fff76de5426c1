"""What a wheel owes beyond being a ZIP archive: its dist-info, its RECORD, its entry points (PEP 427)."""

from __future__ import annotations

import base64
import csv
import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from email.parser import HeaderParser
from typing import TYPE_CHECKING, NamedTuple

from packaging.tags import Tag, parse_tag

from unmoor.dists.checks.rules import By, CheckRule, Problem, violation

if TYPE_CHECKING:
    from hashlib import _Hash
    from importlib.metadata import EntryPoint

INFO = CheckRule(
    name="wheel-info", refuses="a wheel with more than one dist-info folder, or with another's", by=By.INSTALLERS
)
WHEEL = CheckRule(name="wheel-file", refuses="a wheel without WHEEL in its dist-info folder")
METADATA = CheckRule(name="wheel-metadata", refuses="a wheel without METADATA in its dist-info folder")
SHADOWED = CheckRule(
    name="wheel-metadata-shadowed", refuses="another METADATA that twine would send instead", by=By.UPLOADER
)
FORMAT = CheckRule(
    name="wheel-format", refuses="a WHEEL file of another major version, or one that cannot be read", by=By.INSTALLERS
)
TAGS = CheckRule(name="wheel-tags", refuses="a WHEEL file with other tags than the file name", by=By.UNMOOR, warns=True)
NO_RECORD = CheckRule(name="record-missing", refuses="a wheel without a RECORD that can be read")
RECORD = CheckRule(name="record-files", refuses="a RECORD that does not name every file, or names others", by=By.UNMOOR)
HASH = CheckRule(
    name="record-hash", refuses="a RECORD with a wrong hash or size, or without a strong hash", by=By.UNMOOR
)
POINTS = CheckRule(name="entry-points", refuses="entry points that cannot be read, or with an impossible name")
RULES = (INFO, WHEEL, METADATA, SHADOWED, FORMAT, TAGS, NO_RECORD, RECORD, HASH, POINTS)

_MAJOR = "1"
# RECORD names its own signatures no more than itself with a hash (PEP 427).
_SIGNATURES = ("RECORD.jws", "RECORD.p7s")
_SHA256 = "sha256"
_STRONG = (_SHA256, "sha384", "sha512")
_COMMANDS = ("console_scripts", "gui_scripts")
_COMMAND = re.compile(r"[\w.-]+")


class Row(NamedTuple):
    """One line of RECORD: the algorithm and the digest, empty where it gives none, and the size in bytes."""

    algorithm: str
    digest: str
    size: str

    def fault(self, found: bytes, size: int) -> str:
        """Say what is wrong with a file of that digest and size; empty where nothing is."""
        if self.size and self.size != str(size):
            return f"has {size} bytes, and RECORD says {self.size}"
        encoded = base64.urlsafe_b64encode(found).decode().rstrip("=")
        return "" if encoded == self.digest.rstrip("=") else "does not have the hash that RECORD says"


def info_folder(filename: str) -> str:
    """The dist-info folder of a wheel, as PyPI finds it: by the very spelling of the file name."""
    return "-".join(filename.split("-")[:2]) + ".dist-info"


def check_dist_info(folder: str, names: Collection[str]) -> Iterator[Problem]:
    """See that the dist-info folder is there, alone, with what it must hold."""
    folders = {name.split("/")[0] for name in names if "/" in name and name.split("/")[0].endswith(".dist-info")}
    for other in sorted(folders - {folder}):
        yield violation(INFO, f"it holds {other}, and should hold {folder} alone")
    if f"{folder}/WHEEL" not in names:
        yield violation(WHEEL, f"there is no {folder}/WHEEL in it")
    if f"{folder}/METADATA" not in names:
        yield violation(METADATA, f"there is no {folder}/METADATA in it")
    if f"{folder}/RECORD" not in names:
        yield violation(NO_RECORD, f"there is no {folder}/RECORD in it")


def shadowing_files(folder: str, names: Collection[str]) -> list[str]:
    """Name the files that twine would read before METADATA: it takes the first of the shallowest by that name."""
    own = (2, [folder, "METADATA"])
    found = sorted((len(parts), parts) for name in names if "METADATA" in name and (parts := name.split("/")))
    return ["/".join(parts) for depth, parts in found if (depth, parts) < own]


def check_shadowing(name: str, data: bytes) -> Iterator[Problem]:
    """Judge a file that twine would read before METADATA."""
    if b"Metadata-Version" in data:
        yield violation(SHADOWED, f"twine would send {name} as the metadata")


def check_wheel_file(data: bytes, tags: frozenset[Tag]) -> Iterator[Problem]:
    """Judge the bytes of WHEEL."""
    try:
        fields = HeaderParser().parsestr(data.decode())
    except UnicodeError:
        yield violation(FORMAT, "its WHEEL file is not UTF-8")
        return
    version = str(fields.get("Wheel-Version", "")).strip()
    if version.split(".")[0] != _MAJOR:
        yield violation(FORMAT, f"its WHEEL file says Wheel-Version {version or 'nothing'}, and installers know 1.x")
    try:
        said = {tag for line in fields.get_all("Tag", ()) for tag in parse_tag(str(line).strip())}
    except ValueError:
        said = set()
    if said != tags:
        yield violation(TAGS, "its WHEEL file says other tags than the file name")


def read_record(folder: str, data: bytes, problems: list[Problem]) -> Mapping[str, Row]:
    """Read RECORD; nothing where it cannot be read."""
    rows = {}
    try:
        for line in csv.reader(data.decode().splitlines()):
            if not line:
                continue
            name, hashed, size = (*line, "", "")[:3]
            algorithm, _, digest = hashed.partition("=")
            rows[name.replace("\\", "/")] = Row(algorithm, digest, size)
    except (UnicodeError, csv.Error) as error:
        problems.append(violation(NO_RECORD, f"{folder}/RECORD cannot be read: {error}"))
    return rows


def check_record(folder: str, rows: Mapping[str, Row], names: Sequence[str]) -> Iterator[Problem]:
    """Compare RECORD with the files that are there; folders and signatures are not in it."""
    exempt = {f"{folder}/{name}" for name in _SIGNATURES}
    files = {name for name in names if not name.endswith("/")} - exempt
    for name in sorted(files - rows.keys()):
        yield violation(RECORD, f"{name} is not in RECORD")
    for name in sorted(rows.keys() - files - exempt):
        yield violation(RECORD, f"{name} is in RECORD, and not in the wheel")
    for name in sorted((files & rows.keys()) - {f"{folder}/RECORD"}):
        if rows[name].algorithm not in _STRONG:
            yield violation(HASH, f"{name} has no sha256 in RECORD")


def check_commands(points: Iterable[EntryPoint]) -> Iterator[Problem]:
    """Judge the names of commands: they become file names."""
    for point in points:
        if point.group in _COMMANDS and _COMMAND.fullmatch(point.name) is None:
            yield violation(POINTS, f"{point.name!r} in {point.group} cannot be the name of a command")


def hasher(row: Row | None) -> _Hash | None:
    """What a file is hashed with while it is read, ``None`` where RECORD gives no strong hash."""
    if row is None or row.algorithm not in _STRONG:
        return None
    return hashlib.sha256() if row.algorithm == _SHA256 else hashlib.new(row.algorithm)
