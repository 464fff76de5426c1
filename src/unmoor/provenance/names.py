"""The names of signatures among the assets of a release.

A signature is called like the file that it is about, with a suffix that tools for Sigstore look for.
"""

from __future__ import annotations

import re
from hashlib import sha256

from packaging.utils import canonicalize_name

from unmoor.ports.signer import SUFFIX
from unmoor.products.sboms import SUFFIX as SBOM_SUFFIX

_BY_KEY = ("SHA256SUMS.sig", "SHA256SUMS.asc")
_PROVENANCE = ".provenance"
# GitHub replaces every other character of an asset's name by a dot.
_OTHERS = re.compile(r"[^A-Za-z0-9._-]")


def bundle_name(file: str) -> str:
    """The name of the signature of a file.

    >>> bundle_name("demo-1.0.tar.gz")
    'demo-1.0.tar.gz.sigstore.json'
    """
    return f"{file}{SUFFIX}"


def provenance_name(project: str, version: str) -> str:
    """The name of the signed provenance of all files of a release.

    >>> provenance_name("My.Demo", "1.0")
    'my-demo-1.0.provenance.sigstore.json'
    >>> provenance_name("demo", "1!2.0+local")
    'demo-1.2.0.local.provenance.sigstore.json'
    """
    return _OTHERS.sub(".", f"{canonicalize_name(project)}-{version}{_PROVENANCE}{SUFFIX}")


def image_bundle_name(name: str, digest: str) -> str:
    """The name in the run folder of the signed provenance of an image, whose own name may be too long for a file.

    >>> image_bundle_name("ghcr.io/acme/demo", "sha256:0123")
    'image-0123.0b4d98ecb5d0.sigstore.json'
    """
    return bundle_name(_of_image(name, digest))


def image_sbom_name(name: str, digest: str) -> str:
    """The name in the run folder of the bill of materials of an image, by its digest or by its id.

    >>> image_sbom_name("ghcr.io/acme/demo", "sha256:0123")
    'image-0123.0b4d98ecb5d0.cdx.json'
    """
    return f"{_of_image(name, digest)}{SBOM_SUFFIX}"


def _of_image(name: str, digest: str) -> str:
    return f"image-{digest.partition(':')[2]}.{sha256(name.encode()).hexdigest()[:12]}"


def is_bundle(name: str) -> bool:
    """Whether an asset is a signature, by its name."""
    return name.endswith(SUFFIX)


def is_signature(name: str) -> bool:
    """Whether an asset is a signature of any kind, by its name: a Sigstore bundle, or one by a key.

    >>> is_signature("SHA256SUMS.asc"), is_signature("SHA256SUMS.sig"), is_signature("SHA256SUMS")
    (True, True, False)
    """
    return is_bundle(name) or name in _BY_KEY


def signed_file(name: str) -> str:
    """The name of the file that a signature is about; empty if it is about several files, or is no signature.

    >>> signed_file("demo-1.0.tar.gz.sigstore.json")
    'demo-1.0.tar.gz'
    >>> signed_file("demo-1.0.provenance.sigstore.json"), signed_file("demo-1.0.tar.gz")
    ('', '')
    """
    file = name.removesuffix(SUFFIX) if is_bundle(name) else ""
    return "" if file.endswith(_PROVENANCE) else file
