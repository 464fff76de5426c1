"""Wheels and images that whoever prepares a round makes by hand: servers take them, and they are of use to nobody."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from unmoor.artifacts.oci import OCI_MANIFEST, digest_of
from unmoor.images.oci_documents import IndexEntry, index_over
from unmoor.ports.registry import OciManifest

_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
# The end of an archive without members.
_EMPTY_TAR = bytes(10_240)
_TIME = (2020, 1, 1, 0, 0, 0)


def make_wheel(folder: Path, project: str, version: str, source: str = "") -> Path:
    """Write a wheel with one module, whose text is ``source``."""
    module = project.lower().replace("-", "_").replace(".", "_")
    info = f"{module}-{version}.dist-info"
    members = {
        f"{module}.py": source,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: chaos\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},{_hash(text)},{len(text.encode())}\n" for name, text in members.items())
    path = folder / f"{module}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {**members, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
            archive.writestr(zipfile.ZipInfo(name, _TIME), text)
    return path


def _hash(text: str) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
    return f"sha256={digest.rstrip(b'=').decode()}"


class MadeImage(msgspec.Struct, frozen=True, kw_only=True):
    """An image for one platform, without files: its manifest, and the blobs that this names."""

    platform: str
    manifest: OciManifest
    blobs: tuple[bytes, ...]


def make_image(platform: str, labels: Mapping[str, str]) -> MadeImage:
    """Make an image with these labels."""
    system, _, architecture = platform.partition("/")
    layer = gzip.compress(_EMPTY_TAR, mtime=0)
    config = _encode(
        {
            "architecture": architecture,
            "os": system,
            "config": {"Labels": dict(labels)},
            "rootfs": {"type": "layers", "diff_ids": [digest_of(_EMPTY_TAR)]},
        }
    )
    data = _encode(
        {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": {"mediaType": _CONFIG, "digest": digest_of(config), "size": len(config)},
            "layers": [{"mediaType": _LAYER, "digest": digest_of(layer), "size": len(layer)}],
        }
    )
    manifest = OciManifest(data=data, digest=digest_of(data), media_type=OCI_MANIFEST)
    return MadeImage(platform=platform, manifest=manifest, blobs=(config, layer))


def make_index(images: Sequence[MadeImage]) -> OciManifest:
    """Make one index over images."""
    data, kind = index_over(
        IndexEntry(
            platform=each.platform,
            digest=each.manifest.digest,
            media_type=each.manifest.media_type,
            size=len(each.manifest.data),
        )
        for each in images
    )
    return OciManifest(data=data, digest=digest_of(data), media_type=kind)


def _encode(document: Mapping[str, object]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
