"""PyPI's checks of a file's content, in its order and words: the archive, the file name, the members.

PyPI expects some of the errors that a damaged archive can cause, and answers the others with an internal error.
"""

from __future__ import annotations

import configparser
import csv
import os.path
import re
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)

from unmoor.rehearsal.index import zip_framing
from unmoor.rehearsal.index.platforms import is_taken
from unmoor.rehearsal.index.refusal import Refusal
from unmoor.util.decode import read_ini

if TYPE_CHECKING:
    from packaging.metadata import Metadata

# What a malformed archive can raise.
MALFORMED = (
    ArithmeticError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
)

RATIO, RATIO_FROM = 50, 64 << 20
SCANNED = 5 << 20
# In two parts: PyPI refuses files that contain these words, and this file is uploaded to it.
_PYARMOR = re.compile(b"__pyarmor" + rb"(__\(__name__, __file__,|_(enter|exit|assert|bcc)__)")
_WRAPPED = (b"---BEGIN" + b" PYE FILE---", b"---END" + b" PYE FILE---")
_SOURCES = frozenset({".py", ".pye"})
_COMMAND = re.compile(r"[\w.-]+")


def invalid(why: str | None) -> Refusal:
    """Return the refusal of an invalid file."""
    return Refusal(HTTPStatus.BAD_REQUEST, f"Invalid distribution file. {why}")


def internal_error() -> Refusal:
    """Return the answer to a file that PyPI fails to judge."""
    return Refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal Server Error")


def sdist(path: Path, filename: str, metadata: Metadata) -> None:
    """Check an sdist."""
    try:
        with ExitStack() as stack:
            names = _zip_sdist(path, stack) if filename.endswith(".zip") else _tar(path, stack)
            _sdist_name(filename, metadata)
            top = os.path.commonpath(names)
            for each in metadata.license_files or ():
                if f"{top}/{each}".rstrip("/") not in names:
                    raise _no_licence(each, filename, f"{top}/{each}")
    except MALFORMED:
        raise internal_error() from None


def wheel(path: Path, filename: str, metadata: Metadata, *, any_platform: bool = False) -> bytes:
    """Check a wheel and return its METADATA. PyPI does not accept ``any_platform``."""
    try:
        with ExitStack() as stack:
            return _wheel(_valid_wheel(path, filename, stack), filename, metadata, any_platform=any_platform)
    except MALFORMED:
        raise internal_error() from None


def _valid_wheel(path: Path, filename: str, stack: ExitStack) -> zipfile.ZipFile:
    """Open a wheel and check what PyPI checks of any archive."""
    if not zipfile.is_zipfile(path):
        raise invalid("File is not a zipfile")
    if tarfile.is_tarfile(path):
        raise invalid("File is both a zip and a tar file")
    try:
        archive = stack.enter_context(zipfile.ZipFile(path))
        _plain_zip(archive, path)
        try:
            name, version, _ = filename.split("-", 2)
        except ValueError:
            raise invalid("Unable to parse name and version from wheel filename") from None
        wanted = f"{name}-{version}.dist-info/WHEEL"
        _read(archive, wanted, invalid(f"WHEEL not found at {wanted}"))
        _scan(archive.read(info.filename) for info in archive.infolist() if _is_scanned(info))
    except zipfile.BadZipFile:
        raise invalid(None) from None
    _framed(archive)
    return archive


def _wheel(archive: zipfile.ZipFile, filename: str, metadata: Metadata, *, any_platform: bool) -> bytes:
    _wheel_name(filename, metadata, any_platform=any_platform)
    folder = "-".join(filename.split("-")[:2]) + ".dist-info"
    for each in metadata.license_files or ():
        wanted = f"{folder}/licenses/{each}"
        _read(archive, wanted, _no_licence(each, filename, wanted))
    _record(archive, folder, filename)
    _points(archive, folder, filename)
    lacks = Refusal(
        HTTPStatus.BAD_REQUEST, f"Wheel {filename!r} does not contain the required METADATA file: {folder}/METADATA"
    )
    inner = _read(archive, f"{folder}/METADATA", lacks)
    if len(f"{filename}.metadata".encode()) > 255:  # noqa: PLR2004 - the limit of file systems
        raise Refusal(HTTPStatus.BAD_REQUEST, f"Filename is too long: '{filename}'")
    return inner


def _plain_zip(archive: zipfile.ZipFile, path: Path) -> None:
    unpacked, packed = sum(info.file_size for info in archive.infolist()), path.stat().st_size
    if unpacked > RATIO_FROM and unpacked / packed > RATIO:
        raise invalid(f"File exceeds compression ratio of {RATIO}")
    if any(info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED} for info in archive.infolist()):
        raise invalid("File does not use a supported compression type")


def _framed(archive: zipfile.ZipFile) -> None:
    try:
        zip_framing.walk(archive)
    except zip_framing.FramingError as error:
        raise invalid(f"ZIP archive not accepted: {error}.") from None


def _read(archive: zipfile.ZipFile, name: str, lacks: Refusal) -> bytes:
    """Read a member. Raises ``lacks`` if it is missing."""
    try:
        return archive.read(name)
    except KeyError:
        raise lacks from None


def _is_scanned(info: zipfile.ZipInfo) -> bool:
    return not info.is_dir() and PurePosixPath(info.filename).suffix.lower() in _SOURCES


def _scan(sources: Iterator[bytes]) -> None:
    """Scan source files as PyPI does: those that are not too long."""
    for data in sources:
        if len(data) > SCANNED:
            continue
        if _PYARMOR.search(data):
            raise invalid("PyArmor-encrypted content is not allowed.")
        if all(word in data for word in _WRAPPED):
            raise invalid("SourceDefender-encrypted content is not allowed.")


def _wheel_name(filename: str, metadata: Metadata, *, any_platform: bool) -> None:
    try:
        name, version, _, tags = parse_wheel_filename(filename)
    except InvalidWheelFilename as error:
        raise Refusal(HTTPStatus.BAD_REQUEST, str(error)) from None
    for platform in sorted({tag.platform for tag in tags}):
        if not any_platform and not is_taken(platform):
            raise Refusal(
                HTTPStatus.BAD_REQUEST, f"Binary wheel {filename!r} has an unsupported platform tag {platform!r}."
            )
    wanted = canonicalize_name(metadata.name)
    normalized = wanted.replace("-", "_")
    if name != wanted:
        raise Refusal(HTTPStatus.BAD_REQUEST, f"Start filename for {metadata.name!r} with {normalized!r}.")
    written = filename.partition("-")[0]
    if written != normalized:
        reason = f"should contain the normalized project name {normalized!r}, not {written!r}."
        raise Refusal(HTTPStatus.BAD_REQUEST, f"Filename {filename!r} {reason}")
    if version != metadata.version:
        raise Refusal(
            HTTPStatus.BAD_REQUEST, f"Version in filename should be {str(metadata.version)!r} not {str(version)!r}."
        )


def _sdist_name(filename: str, metadata: Metadata) -> None:
    try:
        name, _ = parse_sdist_filename(filename)
    except InvalidSdistFilename:
        raise Refusal(HTTPStatus.BAD_REQUEST, f"Invalid source distribution filename: {filename}") from None
    wanted = canonicalize_name(metadata.name)
    normalized = wanted.replace("-", "_")
    if name != wanted and not metadata.version.is_postrelease:
        raise Refusal(HTTPStatus.BAD_REQUEST, f"Start filename for {metadata.name!r} with {normalized!r}.")
    expected = f"{normalized}-{metadata.version}.tar.gz"
    if filename != expected:
        raise Refusal(HTTPStatus.BAD_REQUEST, f"Filename {filename!r} is invalid, should be {expected!r}.")


def _no_licence(licence: str, filename: str, wanted: str) -> Refusal:
    return Refusal(
        HTTPStatus.BAD_REQUEST, f"License-File {licence} does not exist in distribution file {filename} at {wanted}"
    )


def _record(archive: zipfile.ZipFile, folder: str, filename: str) -> None:
    """Check that RECORD exists and can be parsed; if it lists other files, PyPI only sends a mail."""
    lacks = Refusal(
        HTTPStatus.BAD_REQUEST, f"Wheel '{filename}' does not contain the required RECORD file: {folder}/RECORD"
    )
    try:
        rows = list(csv.reader(_read(archive, f"{folder}/RECORD", lacks).decode().splitlines()))
    except (UnicodeError, csv.Error):
        raise lacks from None
    if [] in rows:
        raise internal_error()  # PyPI takes the first field of every row


def _points(archive: zipfile.ZipFile, folder: str, filename: str) -> None:
    name = f"{folder}/entry_points.txt"
    if name not in archive.namelist():
        return
    wrong = Refusal(
        HTTPStatus.BAD_REQUEST, f"Wheel '{filename}' has invalid entry points defined in the entry_points.txt file"
    )
    parser = configparser.ConfigParser(delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # the documented way to keep case
    try:
        read_ini(parser, _read(archive, name, wrong).decode())
    except (UnicodeError, configparser.Error):
        raise wrong from None
    names = [point for group in ("console_scripts", "gui_scripts") if group in parser for point in parser[group]]
    if not all(_COMMAND.fullmatch(point) for point in names):
        raise wrong


def _top(names: list[str]) -> str:
    """Return the folder that all names have in common. Raises `Refusal` if there is none."""
    top = os.path.commonpath(names) if names else ""
    if top in {"", ".", "/"}:
        raise invalid("Incorrect number of top-level directories in sdist")
    return top


def _zip_sdist(path: Path, stack: ExitStack) -> list[str]:
    if not zipfile.is_zipfile(path):
        raise invalid("File is not a zipfile")
    try:
        archive = stack.enter_context(zipfile.ZipFile(path))
        _plain_zip(archive, path)
        names = archive.namelist()
        wanted = f"{_top(names)}/PKG-INFO"
        _read(archive, wanted, invalid(f"PKG-INFO not found at {wanted}"))
    except zipfile.BadZipFile:
        raise invalid(None) from None
    _framed(archive)
    return names


def _tar(path: Path, stack: ExitStack) -> list[str]:
    """Check a tar archive and return the names in it."""
    if not tarfile.is_tarfile(path):
        raise invalid("File is not a tarfile")
    if zipfile.is_zipfile(path):
        raise invalid("File is both a zip and a tar file")
    try:
        archive = stack.enter_context(tarfile.open(path, "r:gz"))  # noqa: SIM115 - the stack closes it
        names = archive.getnames()
        top = os.path.commonpath(names) if names else ""
        if any(member.issparse() for member in archive.getmembers()):
            raise invalid("tar archive not accepted: Sparse members are not allowed.")
        _top(names)
        if f"{top}/PKG-INFO" not in names:
            raise invalid(f"PKG-INFO not found at {top}/PKG-INFO")
        _scan(_sources(archive))
    except (tarfile.ReadError, EOFError, zlib.error):
        raise invalid(None) from None
    return names


def _sources(archive: tarfile.TarFile) -> Iterator[bytes]:
    for member in archive.getmembers():
        if member.isfile() and PurePosixPath(member.name).suffix.lower() in _SOURCES:
            stream = archive.extractfile(member)
            yield stream.read() if stream else b""
