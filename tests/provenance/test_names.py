"""Names of signatures among the assets of a release."""

from __future__ import annotations

import pytest

from unmoor.provenance import names


@pytest.mark.parametrize(
    ("asset", "signature", "of"),
    [
        ("demo-1.0.tar.gz.sigstore.json", True, "demo-1.0.tar.gz"),
        ("SHA256SUMS.sigstore.json", True, "SHA256SUMS"),
        ("manifest.json.sigstore.json", True, "manifest.json"),
        ("demo-1.0.provenance.sigstore.json", True, ""),
        ("demo-1.0.tar.gz", False, ""),
        ("manifest.json", False, ""),
        ("sigstore.json", False, ""),
    ],
)
def test_a_signature_is_known_by_its_name(asset: str, *, signature: bool, of: str) -> None:
    """The name says whether an asset is a signature, and of which file."""
    assert names.is_bundle(asset) is signature
    assert names.signed_file(asset) == of
    if of:
        assert names.bundle_name(of) == asset


@pytest.mark.parametrize(
    ("project", "version", "expected"),
    [
        ("demo", "1.0", "demo-1.0.provenance.sigstore.json"),
        ("My_Demo.x", "1.0rc1", "my-demo-x-1.0rc1.provenance.sigstore.json"),
        ("demo", "1!2.0+local.1", "demo-1.2.0.local.1.provenance.sigstore.json"),
    ],
)
def test_the_provenance_has_a_name_that_the_forge_keeps(project: str, version: str, expected: str) -> None:
    """The name has only characters that GitHub does not replace, and is that of no single file's signature."""
    assert names.provenance_name(project, version) == expected
    assert names.signed_file(expected) == ""
