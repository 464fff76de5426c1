"""One signature in two encodings."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from unmoor.adapters.sigstore.attestations import provenance_bundles, to_attestation, to_bundle
from unmoor.errors import Unknown
from unmoor.ports.signer import MAX_BUNDLE

GARBAGE = [
    b"",
    b"\xff",
    b"null",
    b"[]",
    b"{}",
    b"<html></html>",
    b"[" * 10_000,
    b'{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}',
    b'{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{},"dsseEnvelope":{}}',
    b'{"version":1,"verification_material":{},"envelope":{"statement":"e30=","signature":"AA=="}}',
    b'{"version":2}',
    b" " * (MAX_BUNDLE + 1),
]


@pytest.mark.parametrize("convert", [to_attestation, to_bundle, provenance_bundles])
@pytest.mark.parametrize("garbage", GARBAGE)
def test_what_is_no_signature_is_unknown(convert: Callable[[bytes], object], garbage: bytes) -> None:
    """Whatever the libraries make of other bytes is one error, with what to do."""
    with pytest.raises(Unknown, match=r"cannot be read: .") as caught:
        convert(garbage)
    assert caught.value.next_step
