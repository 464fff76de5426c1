"""What PyPI looks at before it takes a file, in its order and, as far as they are known, in its words."""

from __future__ import annotations

import re
import sys
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from packaging.metadata import InvalidMetadata, Metadata, RawMetadata
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import Version

from unmoor.files import is_safe_name
from unmoor.rehearsal.refusal import Refusal
from unmoor.rehearsal.store import Digests

MEMBER_LIMIT = 10 << 20
EXTENSIONS = {"sdist": (".tar.gz", ".zip"), "bdist_wheel": (".whl",)}
LISTS = {
    "platform": "platforms",
    "supported_platform": "supported_platforms",
    "classifiers": "classifiers",
    "requires": "requires",
    "provides": "provides",
    "obsoletes": "obsoletes",
    "requires_dist": "requires_dist",
    "provides_dist": "provides_dist",
    "obsoletes_dist": "obsoletes_dist",
    "requires_external": "requires_external",
    "provides_extra": "provides_extra",
    "dynamic": "dynamic",
    "license_file": "license_files",
}
TEXTS = (
    "metadata_version",
    "name",
    "version",
    "summary",
    "description",
    "description_content_type",
    "home_page",
    "download_url",
    "author",
    "author_email",
    "maintainer",
    "maintainer_email",
    "license",
    "license_expression",
    "requires_python",
)
_ARCHES = "x86_64|i686|aarch64|armv7l|ppc64le|ppc64|s390x|riscv64|loongarch64"
_PLATFORM = re.compile(
    rf"""any | win32 | win_amd64 | win_arm64 | win_ia64 | linux_armv[67]l
    | manylinux(1|2010)_(x86_64|i686) | manylinux2014_({_ARCHES}) | (manylinux|musllinux)_\d+_\d+_({_ARCHES})
    | macosx_\d+_\d+_(arm64|x86_64|universal2?|intel|i386|ppc|ppc64|fat|fat3|fat32|fat64)
    | ios_\d+_\d+_(arm64|x86_64)_iphone(os|simulator) | android_\d+_(armeabi_v7a|arm64_v8a|x86|x86_64)
    | (pyodide|pyemscripten)_\d+_\d+_wasm32""",
    re.VERBOSE,
)


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What a client says of the file it sends: the form's fields, each with every value it was given."""

    filename: str
    fields: Mapping[str, Sequence[str]]

    def text(self, field: str) -> str:
        """The first value of a field, empty where there is none."""
        return next(iter(self.fields.get(field, ())), "")

    @property
    def metadata(self) -> RawMetadata:
        """The core metadata among the fields."""
        raw: dict[str, Any] = {name: self.text(name) for name in TEXTS if self.text(name)}
        raw |= {LISTS[name]: list(self.fields[name]) for name in LISTS if self.fields.get(name)}
        words = ",".join(self.fields.get("keywords", ()))
        urls = [each.partition(",") for each in self.fields.get("project_urls", ())]
        raw |= {"keywords": [word.strip() for word in words.split(",")]} if words else {}
        raw |= {"project_urls": {label.strip(): url.strip() for label, _, url in urls}} if urls else {}
        return cast("RawMetadata", raw)


def form(offer: Offer) -> Metadata:
    """Check the form: the action, the kind of file, the digests' form, the core metadata."""
    if offer.text(":action") != "file_upload":
        raise Refusal(400, "Unknown action.")
    if offer.text("protocol_version") != "1":
        raise Refusal(400, "Unknown protocol version.")
    if offer.text("filetype") not in EXTENSIONS:
        raise Refusal(400, "Invalid value for filetype. Error: Use a known file type.")
    if not any(offer.text(name) for name in ("md5_digest", "sha256_digest", "blake2_256_digest")):
        raise Refusal(400, "Include at least one message digest.")
    for field in ("sha256_digest", "blake2_256_digest"):
        if not re.fullmatch(r"([A-Fa-f0-9]{64})?", offer.text(field)):
            raise Refusal(400, f"Invalid value for {field}. Error: Use a valid, hex-encoded, message digest.")
    if offer.text("filetype") == "sdist" and offer.text("pyversion") not in {"", "source"}:
        raise Refusal(400, "Use 'source' as Python version for an sdist.")
    if offer.text("filetype") != "sdist" and not offer.text("pyversion"):
        raise Refusal(400, "Python version is required for binary distribution uploads.")
    return _core_metadata(offer.metadata)


def _core_metadata(raw: RawMetadata) -> Metadata:
    try:
        metadata = Metadata.from_raw(raw)
    except ExceptionGroup as group:
        first = group.exceptions[0]
        field = first.field if isinstance(first, InvalidMetadata) else "metadata"
        raise Refusal(400, f"Invalid value for {field}. Error: {first}") from None
    if metadata.version.local:
        raise Refusal(400, f"The use of local versions in '{metadata.version}' is not allowed.")
    if len(metadata.summary or "") > 512:  # noqa: PLR2004 - PyPI's limit
        raise Refusal(400, "'summary' field must be 512 characters or less.")
    if any(" @ " in str(each) for each in metadata.requires_dist or ()):
        raise Refusal(400, "Invalid value for requires_dist. Error: Can't have direct dependency.")
    return metadata


def project(name: str) -> None:
    """Check the name of a project that is not there yet."""
    if canonicalize_name(name) in {canonicalize_name(each) for each in sys.stdlib_module_names}:
        raise Refusal(
            400,
            f"The name {name!r} isn't allowed (conflict with the Python Standard Library module name).",
        )


def filename(offer: Offer) -> None:
    """Check that the file's name is one at all."""
    name, kind = offer.filename, offer.text("filetype")
    if "/" in name or "\\" in name:
        raise Refusal(400, "Cannot upload a file with '/' or '\\' in the name.")
    if not name.isprintable():
        raise Refusal(400, "Cannot upload a file with non-printable characters in the name.")
    if not name.endswith((".tar.gz", ".zip", ".whl")):
        raise Refusal(400, "Invalid file extension: Use .tar.gz, .whl or .zip extension.")
    if not name.endswith(EXTENSIONS[kind]):
        raise Refusal(400, f"Invalid file extension: A file of type {kind} ends with {' or '.join(EXTENSIONS[kind])}.")
    if not is_safe_name(name):
        raise Refusal(400, "Invalid filename.")


def digests(offer: Offer, found: Digests) -> None:
    """Compare every digest that was declared with the bytes."""
    declared = {"md5_digest": found.md5, "sha256_digest": found.sha256, "blake2_256_digest": found.blake2}
    if any(offer.text(field).lower() not in {"", value} for field, value in declared.items()):
        raise Refusal(400, "The digest supplied does not match a digest calculated from the uploaded file.")


def archive(path: Path, offer: Offer, metadata: Metadata) -> bytes | None:
    """Check the file's bytes and its name against its metadata; return a wheel's METADATA, ``None`` for an sdist."""
    if offer.text("filetype") == "sdist":
        _sdist(path, offer.filename, metadata)
        return None
    return _wheel(path, offer.filename, metadata)


def _agree(name: str, version: Version, metadata: Metadata) -> None:
    wanted = canonicalize_name(metadata.name)
    if canonicalize_name(name) != wanted:
        raise Refusal(400, f"Start filename for {metadata.name!r} with {wanted.replace('-', '_')!r}.")
    if version != metadata.version:
        raise Refusal(400, f"Version in filename should be {str(metadata.version)!r} not {str(version)!r}.")


def _sdist(path: Path, filename: str, metadata: Metadata) -> None:
    top = filename.removesuffix(".tar.gz").removesuffix(".zip")
    wanted = f"{top}/PKG-INFO"
    try:
        if filename.endswith(".zip"):
            with zipfile.ZipFile(path) as archive:
                archive.getinfo(wanted)
        else:
            with tarfile.open(path, "r:gz") as tar:
                tar.getmember(wanted)
    except KeyError:
        raise Refusal(400, f"Invalid distribution file. Sdist {filename!r} does not contain {wanted}.") from None
    except (tarfile.TarError, zipfile.BadZipFile, OSError, EOFError):
        raise Refusal(400, "Invalid distribution file. File is not an archive that can be read.") from None
    try:
        _agree(*parse_sdist_filename(filename), metadata)
    except InvalidSdistFilename as error:
        raise Refusal(400, f"Invalid source distribution filename: {error}") from None


def _wheel(path: Path, filename: str, metadata: Metadata) -> bytes:
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError):
        raise Refusal(400, "Invalid distribution file. File is not a zipfile.") from None
    with archive:
        try:
            name, version, _, tags = parse_wheel_filename(filename)
        except InvalidWheelFilename as error:
            raise Refusal(400, f"Invalid wheel filename: {error}") from None
        for platform in sorted({tag.platform for tag in tags}):
            if not _PLATFORM.fullmatch(platform):
                raise Refusal(400, f"Binary wheel {filename!r} has an unsupported platform tag {platform!r}.")
        _agree(name, version, metadata)
        wanted = f"{'-'.join(filename.split('-')[:2])}.dist-info/METADATA"
        try:
            member = archive.getinfo(wanted)
            if member.file_size > MEMBER_LIMIT:
                raise Refusal(400, f"Invalid distribution file. {wanted} is too large.")
            return archive.read(member)
        except KeyError:
            raise Refusal(400, f"Wheel {filename!r} does not contain the required METADATA file: {wanted}") from None
        except (zipfile.BadZipFile, OSError, EOFError, RuntimeError, NotImplementedError):
            raise Refusal(400, "Invalid distribution file. ZIP archive not accepted.") from None
