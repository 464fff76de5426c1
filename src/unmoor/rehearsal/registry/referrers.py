"""The referrers API (OCI distribution specification 1.1), which the registry behind the proxy (2.8) does not have.

A list is read from the registry's storage at each request, so nothing has to be kept in step with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import msgspec

from unmoor.rehearsal.registry.site import Site
from unmoor.util.decode import decode_json, described

INDEX = "application/vnd.oci.image.index.v1+json"
SUBJECT = "oci-subject"
"""The header by which a registry says that it lists a manifest under its subject."""
FILTERS = "oci-filters-applied"
"""The header that names the filters which a list has passed."""


class _Part(msgspec.Struct, frozen=True, rename="camel"):
    digest: str = ""
    media_type: str = ""


class _Manifest(msgspec.Struct, frozen=True, rename="camel"):
    media_type: str = ""
    artifact_type: str = ""
    config: _Part | None = None
    subject: _Part | None = None
    annotations: dict[str, str] | None = None


class _Entry(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    media_type: str
    digest: str
    size: int
    artifact_type: str = ""
    annotations: dict[str, str] | None = None


def subject_of(manifest: bytes) -> str:
    """The digest of a manifest's subject; empty if it has none."""
    try:
        subject = decode_json(manifest, _Manifest).subject
    except ValueError:
        return ""
    return subject.digest if subject else ""


def referrers_of(site: Site, name: str, digest: str, query: str) -> tuple[bytes, dict[str, str]]:
    """Return the list of what is about a digest in a package, and its headers. It may be filtered by artifact type."""
    kinds = parse_qs(query).get("artifactType", [])
    entries = [entry for entry in _entries(site, name, digest) if not kinds or entry.artifact_type in kinds]
    entries.sort(key=lambda entry: entry.digest)
    document: dict[str, Any] = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
    return msgspec.json.encode(document), {FILTERS: "artifactType"} if kinds else {}


def _entries(site: Site, name: str, digest: str) -> Iterator[_Entry]:
    described(_Entry)
    for link in (site.repositories / name / "_manifests" / "revisions" / "sha256").glob("*/link"):
        found = link.read_text("utf-8").strip()
        hexadecimal = found.removeprefix("sha256:")
        blob = site.repositories.parent / "blobs" / "sha256" / hexadecimal[:2] / hexadecimal / "data"
        data = blob.read_bytes() if blob.is_file() else b""
        if digest not in data.decode("utf-8", "replace") or subject_of(data) != digest:
            continue
        manifest = decode_json(data, _Manifest)
        yield _Entry(
            media_type=manifest.media_type,
            digest=found,
            size=len(data),
            artifact_type=manifest.artifact_type or (manifest.config.media_type if manifest.config else ""),
            annotations=manifest.annotations,
        )
