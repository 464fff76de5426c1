"""PyPI's checks of an upload's form, in its order and, as far as known, in its words."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast

import msgspec
from packaging.metadata import Metadata, RawMetadata
from packaging.utils import canonicalize_name

from unmoor.filesystem.files import is_safe_name
from unmoor.rehearsal.index import archive_checks, metadata_checks
from unmoor.rehearsal.index.refusal import Refusal
from unmoor.rehearsal.shared.store import Digests

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
    "import_name": "import_names",
    "import_namespace": "import_namespaces",
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


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """An uploaded form: the name of the file, and its fields, each with all its values."""

    filename: str
    fields: Mapping[str, Sequence[str]]

    def text(self, field: str) -> str:
        """Return the first value of a field; empty if there is none."""
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
    """Check the form: the action, the type of file, the format of digests, the core metadata."""
    if offer.text(":action") != "file_upload":
        raise Refusal(HTTPStatus.BAD_REQUEST, "Unknown action.")
    if offer.text("protocol_version") != "1":
        raise Refusal(HTTPStatus.BAD_REQUEST, "Unknown protocol version.")
    _name(offer.text("name"))
    if offer.text("filetype") not in EXTENSIONS:
        raise Refusal(HTTPStatus.BAD_REQUEST, "Invalid value for filetype. Error: Use a known file type.")
    for field in ("sha256_digest", "blake2_256_digest"):
        if not re.fullmatch(r"([A-Fa-f0-9]{64})?", offer.text(field)):
            raise Refusal(
                HTTPStatus.BAD_REQUEST, f"Invalid value for {field}. Error: Use a valid, hex-encoded, message digest."
            )
    if offer.text("filetype") != "sdist" and not offer.text("pyversion"):
        raise Refusal(HTTPStatus.BAD_REQUEST, "Python version is required for binary distribution uploads.")
    if offer.text("filetype") == "sdist" and offer.text("pyversion") not in {"", "source"}:
        raise Refusal(HTTPStatus.BAD_REQUEST, "Use 'source' as Python version for an sdist.")
    if not any(offer.text(name) for name in ("md5_digest", "sha256_digest", "blake2_256_digest")):
        raise Refusal(HTTPStatus.BAD_REQUEST, "Include at least one message digest.")
    twice = sorted(name for name in TEXTS if len(offer.fields.get(name, ())) > 1)
    if twice:
        raise Refusal(HTTPStatus.BAD_REQUEST, f"{twice[0]!r} has invalid data.")
    return metadata_checks.check(offer.metadata)


def _name(name: str) -> None:
    if not name:
        raise Refusal(HTTPStatus.BAD_REQUEST, "'' is an invalid value for Name. Error: This field is required.")
    if not re.fullmatch(r"[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9]", name):
        rule = "Start and end with a letter or numeral containing only ASCII numeric and '.', '_' and '-'."
        raise Refusal(400, f"{name[:60]!r} is an invalid value for Name. Error: {rule}")


def description(metadata: Metadata) -> None:
    """Render the description, as PyPI does before it checks the file."""
    from readme_renderer import markdown, rst, txt

    if not metadata.description:
        return
    content_type = metadata.description_content_type
    kind = (content_type or "text/x-rst").partition(";")[0].strip().lower()
    renderer = {"text/x-rst": rst, "text/markdown": markdown}.get(kind, txt)
    if renderer.render(metadata.description) is None:
        how = f"for {content_type!r}." if content_type else "in the default format of reStructuredText."
        raise Refusal(HTTPStatus.BAD_REQUEST, f"The description failed to render {how}")


def project(name: str) -> None:
    """Check the name of a new project."""
    if canonicalize_name(name) in {canonicalize_name(each) for each in sys.stdlib_module_names}:
        raise Refusal(
            HTTPStatus.BAD_REQUEST,
            f"The name {name!r} isn't allowed (conflict with the Python Standard Library module name).",
        )


def filename(offer: Offer) -> None:
    """Check that the file's name is valid."""
    name, kind = offer.filename, offer.text("filetype")
    if "/" in name or "\\" in name:
        raise Refusal(HTTPStatus.BAD_REQUEST, "Cannot upload a file with '/' or '\\' in the name.")
    if not name.isprintable():
        raise Refusal(HTTPStatus.BAD_REQUEST, "Cannot upload a file with non-printable characters in the name.")
    if not name.endswith((".tar.gz", ".zip", ".whl")):
        raise Refusal(HTTPStatus.BAD_REQUEST, "Invalid file extension: Use .tar.gz, .whl or .zip extension.")
    if not name.endswith(EXTENSIONS[kind]):
        raise Refusal(
            HTTPStatus.BAD_REQUEST,
            f"Invalid file extension: A file of type {kind} ends with {' or '.join(EXTENSIONS[kind])}.",
        )
    if not is_safe_name(name):
        raise Refusal(HTTPStatus.BAD_REQUEST, "Invalid filename.")


def digests(offer: Offer, found: Digests) -> None:
    """Compare every declared digest with the bytes."""
    declared = {"md5_digest": found.md5, "sha256_digest": found.sha256, "blake2_256_digest": found.blake2}
    if any(offer.text(field).lower() not in {"", value} for field, value in declared.items()):
        raise Refusal(
            HTTPStatus.BAD_REQUEST, "The digest supplied does not match a digest calculated from the uploaded file."
        )


def archive(path: Path, offer: Offer, metadata: Metadata, *, any_platform: bool = False) -> bytes | None:
    """Check the file's content and name against its metadata. Return a wheel's METADATA; ``None`` for an sdist."""
    if offer.text("filetype") == "sdist":
        archive_checks.sdist(path, offer.filename, metadata)
        return None
    return archive_checks.wheel(path, offer.filename, metadata, any_platform=any_platform)
