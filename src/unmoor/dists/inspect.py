"""Read a wheel or an sdist: its file name, its metadata, its modules and its entry points.

Archives come from third-party build backends or from an index. Every read has a limit, and sdists are
unpacked with tarfile's ``data`` filter only (PEP 706).
"""

from __future__ import annotations

import contextlib
import re
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import msgspec
from packaging.tags import Tag
from packaging.utils import (
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import Version

from unmoor import advice
from unmoor.dists.entry_points import parse_entry_points
from unmoor.dists.malformed import MALFORMED, BoundedHeader, is_malformed, require_size
from unmoor.dists.unpacking import leads_out, require_place
from unmoor.errors import InvalidDist
from unmoor.filesystem.files import is_safe_name
from unmoor.util.text import clean

if TYPE_CHECKING:  # slow to import, and not needed by runs that only read
    from importlib.metadata import EntryPoint

    from packaging.metadata import RawMetadata

# The longest member that is read into memory, in bytes.
MEMBER_LIMIT = 10_000_000
_MODULE_LIMIT = 500_000
# Limits for unpacking an sdist: total bytes and number of members.
TOTAL_LIMIT = 2_000_000_000
COUNT_LIMIT = 200_000

# More than any real metadata has.
_MOST_FIELDS, _MOST_ENCODED = 200, 100
_COMPILED = (".so", ".pyd")
_EXTENSIONS = (".py", *_COMPILED)
_CHUNK = 1 << 20
# Importing these proves nothing about the package: they import a test runner, or run code.
_NOT_IMPORTED = frozenset({"tests", "test", "conftest", "setup"})


class FileName(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed file name: the normalised project name, the version, and a wheel's tags."""

    name: str
    version: Version
    tags: frozenset[Tag] = frozenset()


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """Fields of METADATA or PKG-INFO: name and version as written, requirements, extras, classifiers, and others.

    ``python`` is ``Requires-Python``, empty if it is missing.
    """

    name: str
    version: str
    requires: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    classifiers: tuple[str, ...] = ()
    summary: str = ""
    license: str = ""
    python: str = ""


def parse_filename(filename: str) -> FileName:
    """Parse the file name of a wheel or an sdist. Raises `InvalidDist` if it is neither."""
    try:
        if filename.endswith(".whl"):
            name, version, _build, tags = parse_wheel_filename(filename)
            return FileName(name=name, version=version, tags=tags)
        name, version = parse_sdist_filename(filename)
    except ValueError as error:
        raise InvalidDist(
            f"{clean(filename)} is not the file name of a wheel or an sdist: {error}", next_step=advice.BUILD_AGAIN()
        ) from None
    return FileName(name=name, version=version)


def read_metadata(path: Path) -> Metadata:
    """Read METADATA from a wheel, or PKG-INFO from an sdist. Raises `InvalidDist`."""
    text = read_raw_metadata(path)
    raw: RawMetadata
    try:
        raw, _ = parse_metadata(text)
    except ValueError as error:
        raise InvalidDist(
            f"cannot read the metadata of {path.name}: {error}", next_step=advice.BUILD_AGAIN()
        ) from error
    return Metadata(
        name=raw.get("name", ""),
        version=raw.get("version", ""),
        requires=tuple(raw.get("requires_dist", ())),
        extras=tuple(raw.get("provides_extra", ())),
        classifiers=tuple(raw.get("classifiers", ())),
        summary=raw.get("summary", ""),
        license=raw.get("license_expression", ""),
        python=raw.get("requires_python", ""),
    )


def read_raw_metadata(path: Path) -> bytes:
    """Read METADATA from a wheel, or PKG-INFO from an sdist, as it is written. Raises `InvalidDist`."""
    text = read_dist_info(path, "METADATA") if path.name.endswith(".whl") else _read_pkg_info(path)
    if text is None:
        raise InvalidDist(f"{path.name} contains no metadata", next_step=advice.BUILD_AGAIN())
    return text


def parse_metadata(data: bytes) -> tuple[RawMetadata, dict[str, list[str]]]:
    """Parse METADATA or PKG-INFO: the known fields, and the others as written.

    It has the format of an e-mail, but no parts, and few names of fields. Raises `ValueError` for one that needs more,
    which Python's parser would read in quadratic time, or not at all.
    """
    from packaging.metadata import parse_email

    head = re.split(rb"\r?\n\r?\n", data, maxsplit=1)[0]
    names = {name.lower() for name in re.findall(rb"^([!-9;-~]+):", head, re.MULTILINE)}
    reasons = {
        f"it has more than {_MOST_FIELDS} kinds of fields": len(names) > _MOST_FIELDS,
        "it has a Content-Type, as an e-mail with parts has": b"content-type" in names,
        f"it has more than {_MOST_ENCODED} encoded words": head.count(b"=?") > _MOST_ENCODED,
    }
    if wrong := next((reason for reason, holds in reasons.items() if holds), ""):
        raise ValueError(wrong)
    return parse_email(data)


def modules(wheel: Path) -> tuple[str, ...]:
    """List what a wheel puts on the import path: its top-level packages and modules.

    For a namespace package (a folder without ``__init__``), list the packages and modules inside it.
    Names that are not identifiers, obvious tests, and shared libraries that no Python can import, are left out.
    Raises `InvalidDist`.
    """
    with _open_zip(wheel) as archive:
        landed = {name: path for name in archive.namelist() if (path := import_path(name)) is not None}
        paths = [path for name, path in landed.items() if not _is_library(archive, name, path)]
    packages = {path.parent for path in paths if _module_name(path) == "__init__" and len(path.parts) > 1}
    found = set()
    for path in paths:
        module = _module_name(path)
        if module is None or path.name == str(path) == "__init__.py":
            continue
        # The outermost folder with an __init__ is the package. Without one, list the module itself.
        owner = next((each for each in reversed(path.parents) if each in packages), None)
        parts = owner.parts if owner is not None else (*path.parts[:-1], module)
        if all(part.isidentifier() for part in parts) and not _NOT_IMPORTED.intersection((parts[0], parts[-1])):
            found.add(".".join(parts))
    return tuple(sorted(found))


@contextlib.contextmanager
def open_installed(wheel: Path) -> Iterator[Callable[[str], bytes | None]]:
    """Open a wheel, and yield a function that reads a small file by its path below site-packages.

    It returns ``None`` if the file does not exist, or is too long for a module that people write. Raises `InvalidDist`.
    """
    with _open_zip(wheel) as archive:
        members: dict[str, zipfile.ZipInfo] = {}
        for member in archive.infolist():
            if member.file_size <= _MODULE_LIMIT:
                members.setdefault(str(import_path(member.filename)), member)

        def read(path: str) -> bytes | None:
            if path not in members:
                return None
            with archive.open(members[path]) as stream:
                return stream.read(_MODULE_LIMIT)

        yield read


def import_path(name: str) -> PurePosixPath | None:
    """The path of a wheel member below site-packages, or ``None`` if it is not installed there."""
    path = PurePosixPath(name)
    if path.parts and path.parts[0].endswith(".data"):
        return PurePosixPath(*path.parts[2:]) if path.parts[1:2] in (("purelib",), ("platlib",)) else None
    return None if path.parts and path.parts[0].endswith(".dist-info") else path


def _module_name(path: PurePosixPath) -> str | None:
    """The module name of a file, or ``None`` if it is not a module. ``a.cpython-311-x86_64-linux-gnu.so`` is ``a``."""
    if path.suffix not in _EXTENSIONS:
        return None
    name = path.name.partition(".")[0]
    return name if name == "__init__" or not name.startswith("__") else None


def _is_library(archive: zipfile.ZipFile, name: str, path: PurePosixPath) -> bool:
    """Whether a file is a shared library, not an extension module: nothing in its name or its symbols says module.

    An extension module exports ``PyInit_NAME`` (PEP 489). Most have a tag of Python in their name, too.
    """
    stem, suffix = path.stem, path.suffix
    if suffix not in _COMPILED or stem == "__init__" or "." in stem or not stem.isascii():
        return False
    symbol, tail = f"PyInit_{stem}".encode(), b""
    with archive.open(name) as stream:
        while chunk := stream.read(_CHUNK):
            if symbol in tail + chunk:
                return False
            tail = chunk[-len(symbol) :]
    return True


def entry_points(wheel: Path) -> tuple[EntryPoint, ...]:
    """Read a wheel's entry points, sorted by group and name. Raises `InvalidDist`."""
    text = read_dist_info(wheel, "entry_points.txt")
    return () if text is None else parse_entry_points(text)


def extract(sdist: Path, into: Path) -> Path:
    """Unpack an sdist and return its top-level folder. Raises `InvalidDist` if it is unsafe or not an archive."""
    tops: set[str] = set()
    unpacked: set[str] = set()
    total = 0
    with _open_tar(sdist) as archive:
        for count, member in enumerate(archive):
            total += require_size(member).size
            if total > TOTAL_LIMIT or count >= COUNT_LIMIT:
                raise InvalidDist(
                    f"{sdist.name} unpacks to more than {TOTAL_LIMIT} bytes or {COUNT_LIMIT} members",
                    next_step=advice.EXCLUDE_FROM_SDIST(),
                )
            if leads_out(member):
                raise InvalidDist(
                    f"{sdist.name} contains the link {clean(member.name)}, which points out of it,"
                    f" to {clean(member.linkname)}",
                    next_step=advice.REPLACE_SDIST_LINK(),
                )
            tops.update(PurePosixPath(member.name).parts[:1])
            require_place(sdist.name, member, into, unpacked)
            archive.extract(member, into, filter="data")
    top = tops.pop() if len(tops) == 1 else ""
    # tarfile strips a leading slash, but joining a path to one would discard `into`.
    if not is_safe_name(top) or not (into / top).is_dir():
        raise InvalidDist(
            f"{sdist.name} does not contain exactly one top-level folder (PEP 625)", next_step=advice.BUILD_AGAIN()
        )
    return into / top


def read_dist_info(wheel: Path, name: str) -> bytes | None:
    """Read a file in the wheel's ``.dist-info`` folder, or return ``None`` if it is missing. Raises `InvalidDist`."""
    with open_dist_info(wheel) as (archive, members):
        member = members.get(name)
        if member is None:
            return None
        if member.file_size > MEMBER_LIMIT:
            raise InvalidDist(
                f"{name} in {wheel.name} is longer than {MEMBER_LIMIT} bytes", next_step=advice.BUILD_AGAIN()
            )
        with archive.open(member) as stream:
            return stream.read(MEMBER_LIMIT)


@contextlib.contextmanager
def open_dist_info(wheel: Path) -> Iterator[tuple[zipfile.ZipFile, dict[str, zipfile.ZipInfo]]]:
    """Open a wheel, and yield the members of its ``.dist-info`` folder by their path in it. Raises `InvalidDist`."""
    expected = parse_filename(wheel.name).name
    with _open_zip(wheel) as archive:
        members: dict[str, zipfile.ZipInfo] = {}
        for member in archive.infolist():
            folder, _, rest = member.filename.partition("/")
            stem, _, version = folder.removesuffix(".dist-info").partition("-")
            if folder.endswith(".dist-info") and version and canonicalize_name(stem) == expected:
                members.setdefault(rest, member)
        yield archive, members


def _read_pkg_info(sdist: Path) -> bytes | None:
    """Read ``PKG-INFO`` in the top-level folder of an sdist, or return ``None`` if it is missing."""
    with _open_tar(sdist) as archive:
        for count, member in enumerate(archive):
            if count >= COUNT_LIMIT:
                break
            require_size(member)
            if re.fullmatch(r"(?:\./)?[^/]+/PKG-INFO", member.name) and member.isfile():
                if member.size > MEMBER_LIMIT:
                    raise InvalidDist(
                        f"PKG-INFO in {sdist.name} is longer than {MEMBER_LIMIT} bytes", next_step=advice.BUILD_AGAIN()
                    )
                stream = archive.extractfile(member)
                return stream.read(MEMBER_LIMIT) if stream else None
    return None


@contextlib.contextmanager
def _open_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a wheel. Raises `InvalidDist` for anything that zipfile cannot read."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except MALFORMED as error:
        raise _unreadable(path, "wheel", error) from error


@contextlib.contextmanager
def _open_tar(path: Path) -> Iterator[tarfile.TarFile]:
    """Open an sdist. Raises `InvalidDist` for anything that tarfile cannot read or refuses to unpack."""
    try:
        with tarfile.open(path, "r:gz", tarinfo=BoundedHeader) as archive:
            yield archive
    except MALFORMED as error:
        raise _unreadable(path, "sdist", error) from error


def _unreadable(path: Path, kind: str, error: Exception) -> Exception:
    """The error to raise instead: the same one if it comes from the disk, not from the bytes of the archive."""
    if not is_malformed(error):
        return error
    return InvalidDist(f"{path.name} is not a readable {kind}: {clean(str(error))}", next_step=advice.BUILD_AGAIN())
