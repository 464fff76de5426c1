"""The client trust config of the instance: what Sigstore's clients need to sign with it, and to verify.

Source: ``sigstore_trustroot.proto`` of sigstore/protobuf-specs.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from unmoor.filesystem.files import write_atomic
from unmoor.rehearsal.shared import store

if TYPE_CHECKING:
    from unmoor.rehearsal.sigstore.authority import Authority, Key

_KIND = "application/vnd.dev.sigstore"
_BEGIN = "2020-01-01T00:00:00Z"


class _Service(msgspec.Struct, frozen=True):
    url: str


class _SigningConfig(msgspec.Struct, frozen=True, rename="camel"):
    ca_urls: tuple[_Service, ...]
    oidc_urls: tuple[_Service, ...]


class _Config(msgspec.Struct, frozen=True, rename="camel"):
    """The part of the file that is read."""

    signing_config: _SigningConfig


def write(path: Path, authority: Authority, *, base: str, issuer: str) -> None:
    """Write the file. ``base`` is the address of Fulcio and Rekor, ``issuer`` that of the issuer of ID tokens."""
    from cryptography.hazmat.primitives.serialization import Encoding

    chain = [authority.intermediate.public_bytes(Encoding.DER), authority.root.public_bytes(Encoding.DER)]
    root = {
        "mediaType": f"{_KIND}.trustedroot+json;version=0.1",
        "tlogs": [_log(authority.entries, base)],
        "certificateAuthorities": [
            {
                "subject": {"organization": "sigstore.dev", "commonName": "local-root"},
                "uri": base,
                "certChain": {"certificates": [{"rawBytes": _b64(each)} for each in chain]},
                "validFor": {"start": _BEGIN},
            }
        ],
        "ctlogs": [_log(authority.certificates, base)],
        "timestampAuthorities": [],
    }
    signing = {
        "mediaType": f"{_KIND}.signingconfig.v0.2+json",
        "caUrls": [_service(base)],
        "oidcUrls": [_service(issuer)],
        "rekorTlogUrls": [_service(base)],
        "rekorTlogConfig": {"selector": "ANY"},
        "tsaUrls": [],
        "tsaConfig": {"selector": "ANY"},
    }
    config = {"mediaType": f"{_KIND}.clienttrustconfig.v0.1+json", "trustedRoot": root, "signingConfig": signing}
    write_atomic(path, json.dumps(config, indent=2).encode())


def is_current(path: Path, *, base: str, issuer: str) -> bool:
    """Whether the file exists, and has these addresses: another program may have taken the former ports."""
    try:
        config = store.load(path, _Config)
    except ValueError:
        config = None
    if config is None:
        return False
    signing = config.signing_config
    return [each.url for each in (*signing.ca_urls, *signing.oidc_urls)] == [base, issuer]


def _log(key: Key, base: str) -> dict[str, Any]:
    return {
        "baseUrl": base,
        "hashAlgorithm": "SHA2_256",
        "publicKey": {
            "rawBytes": _b64(key.public),
            "keyDetails": "PKIX_ECDSA_P256_SHA_256",
            "validFor": {"start": _BEGIN},
        },
        "logId": {"keyId": _b64(key.id)},
    }


def _service(url: str) -> dict[str, Any]:
    return {"url": url, "majorApiVersion": 1, "validFor": {"start": _BEGIN}, "operator": "rehearsal"}


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
