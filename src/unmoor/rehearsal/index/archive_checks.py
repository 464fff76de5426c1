"""PyPI's checks of a file's content, in its order and words: the archive, the file name, the members."""

from __future__ import annotations

import configparser
import csv
import os.path
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path
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

if TYPE_CHECKING:
    from packaging.metadata import Metadata

MEMBER_LIMIT = 10 << 20
RATIO, RATIO_FROM = 50, 64 << 20
SCANNED = 5 << 20
# In two parts: PyPI refuses files that contain these words, and this file is uploaded to it.
_PYARMOR = re.compile(b"__pyarmor" + rb"(__\(__name__, __file__,|_(enter|exit|assert|bcc)__)")
_WRAPPED = re.compile(b"---BEGIN" + rb" PYE FILE---.*---END" + b" PYE FILE---", re.DOTALL)
_COMMAND = re.compile(r"[\w.-]+")


def invalid(why: str | None) -> Refusal:
    """Return the refusal of an invalid file."""
    return Refusal(HTTPStatus.BAD_REQUEST, f"Invalid distribution file. {why}")


def sdist(path: Path, filename: str, metadata: Metadata) -> None:
    """Check an sdist."""
    with ExitStack() as stack:
        names = _zip_sdist(path, stack) if filename.endswith(".zip") else _tar(path, stack)
        _sdist_name(filename, metadata)
        top = os.path.commonpath(names)
        for each in metadata.license_files or ():
            _has(f"{top}/{each}", names, each, filename)


def wheel(path: Path, filename: str, metadata: Metadata) -> bytes:
    """Check a wheel and return its METADATA."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _wheel(archive, path, filename, metadata)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError):
        raise invalid(None if zipfile.is_zipfile(path) else "File is not a zipfile") from None


def _wheel(archive: zipfile.ZipFile, path: Path, filename: str, metadata: Metadata) -> bytes:
    if tarfile.is_tarfile(path):
        raise invalid("File is both a zip and a tar file")
    _plain_zip(archive, path)
    try:
        name, version, _ = filename.split("-", 2)
    except ValueError:
        raise invalid("Unable to parse name and version from wheel filename") from None
    folder = f"{name}-{version}.dist-info"
    _small(archive, f"{folder}/WHEEL", invalid(f"WHEEL not found at {folder}/WHEEL"))
    _scan((info.filename, info.file_size, archive.read(info)) for info in archive.infolist() if _is_scanned(info))
    _framed(archive)
    _wheel_name(filename, metadata)
    for each in metadata.license_files or ():
        _has(f"{folder}/licenses/{each}", archive.namelist(), each, filename)
    _record(archive, folder, filename)
    _points(archive, folder, filename)
    lacks = Refusal(
        HTTPStatus.BAD_REQUEST, f"Wheel {filename!r} does not contain the required METADATA file: {folder}/METADATA"
    )
    inner = _small(archive, f"{folder}/METADATA", lacks)
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


def _small(archive: zipfile.ZipFile, name: str, lacks: Refusal) -> bytes:
    """Read a small member. Raises ``lacks`` if it is missing."""
    try:
        info = archive.getinfo(name)
    except KeyError:
        raise lacks from None
    if info.file_size > MEMBER_LIMIT:
        raise invalid(f"{name} is too large.")
    return archive.read(info)


def _is_scanned(info: zipfile.ZipInfo) -> bool:
    return not info.is_dir() and info.filename.lower().endswith((".py", ".pye")) and info.file_size <= SCANNED


def _scan(members: Iterator[tuple[str, int, bytes]]) -> None:
    """Scan source files as PyPI does."""
    for _name, _size, data in members:
        if _PYARMOR.search(data):
            raise invalid("PyArmor-encrypted content is not allowed.")
        if _WRAPPED.search(data):
            raise invalid("SourceDefender-encrypted content is not allowed.")


def _wheel_name(filename: str, metadata: Metadata) -> None:
    try:
        name, version, _, tags = parse_wheel_filename(filename)
    except InvalidWheelFilename as error:
        raise Refusal(HTTPStatus.BAD_REQUEST, str(error)) from None
    for platform in sorted({tag.platform for tag in tags}):
        if not is_taken(platform):
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


def _has(wanted: str, names: list[str], licence: str, filename: str) -> None:
    if wanted not in names:
        raise Refusal(
            HTTPStatus.BAD_REQUEST, f"License-File {licence} does not exist in distribution file {filename} at {wanted}"
        )


def _record(archive: zipfile.ZipFile, folder: str, filename: str) -> None:
    """Check that RECORD exists and can be parsed; if it lists other files, PyPI only sends a mail."""
    lacks = Refusal(
        HTTPStatus.BAD_REQUEST, f"Wheel '{filename}' does not contain the required RECORD file: {folder}/RECORD"
    )
    try:
        list(csv.reader(_small(archive, f"{folder}/RECORD", lacks).decode().splitlines()))
    except (UnicodeError, csv.Error):
        raise lacks from None


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
        parser.read_string(_small(archive, name, wrong).decode())
    except (UnicodeError, configparser.Error):
        raise wrong from None
    names = [point for group in ("console_scripts", "gui_scripts") if group in parser for point in parser[group]]
    if not all(_COMMAND.fullmatch(point) for point in names):
        raise wrong


def _top(names: list[str]) -> str:
    """Return the top-level folder. Raises `Refusal` if there is not exactly one."""
    try:
        top = os.path.commonpath(names) if names else ""
    except ValueError:
        top = ""
    if top in {"", ".", "/"}:
        raise invalid("Incorrect number of top-level directories in sdist")
    return top


def _zip_sdist(path: Path, stack: ExitStack) -> list[str]:
    try:
        archive = stack.enter_context(zipfile.ZipFile(path))
    except zipfile.BadZipFile:
        raise invalid("File is not a zipfile") from None
    _plain_zip(archive, path)
    names = archive.namelist()
    wanted = f"{_top(names)}/PKG-INFO"
    _small(archive, wanted, invalid(f"PKG-INFO not found at {wanted}"))
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
        top = _top(names)
        if any(member.issparse() for member in archive.getmembers()):
            raise invalid("tar archive not accepted: Sparse members are not allowed.")
        if f"{top}/PKG-INFO" not in names:
            raise invalid(f"PKG-INFO not found at {top}/PKG-INFO")
        _scan(_sources(archive))
    except (tarfile.ReadError, EOFError, zlib.error):
        raise invalid(None) from None
    return names


def _sources(archive: tarfile.TarFile) -> Iterator[tuple[str, int, bytes]]:
    for member in archive.getmembers():
        if member.isfile() and member.size <= SCANNED and member.name.lower().endswith((".py", ".pye")):
            stream = archive.extractfile(member)
            yield member.name, member.size, stream.read() if stream else b""
