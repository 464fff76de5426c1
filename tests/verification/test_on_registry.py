"""Images: their digests, and signatures that are about them and not only listed for them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.published import TAG, FakeRegistry, PublishedRelease, down, found, sha256

from unmoor.ports.registry import Referrer
from unmoor.products import PushedImage
from unmoor.provenance.statements import image_provenance
from unmoor.publish import push_record
from unmoor.publish.push_record import PushRecord
from unmoor.verification.checks import Mark
from unmoor.verification.on_registry import BUNDLE

IMAGE = "ghcr.io/acme/demo"
COMMIT_TAG = "sha-aaaaaaa"


def about(registry: FakeRegistry, digest: str, bundle: bytes, *, subject: str = "", listed: str = "") -> None:
    """Put a signature beside an image. ``subject`` is what its manifest says, ``listed`` where the list has it."""
    layer = f"sha256:{sha256(bundle)}"
    registry.blobs[layer] = bundle
    manifest = {"layers": [{"digest": layer, "mediaType": BUNDLE}], "subject": {"digest": subject or digest}}
    put = registry.put(json.dumps(manifest).encode())
    entry = Referrer(digest=put, media_type="m", size=1, artifact_type=BUNDLE)
    registry.about[listed or digest] = (*registry.about.get(listed or digest, ()), entry)


def with_image(it: PublishedRelease) -> str:
    """Push one image and say so on the release. Return its digest."""
    digest = it.registry.put(b"{}")
    it.registry.tags[COMMIT_TAG] = digest
    image = PushedImage(name=IMAGE, target="", tag=COMMIT_TAG, digest=digest, platforms=())
    record = PushRecord(tag=TAG, commit=it.forge.commit, images=(image,))
    it.forge.assets[push_record.NAME] = push_record.encode(record)
    return digest


def signed_for(it: PublishedRelease, digest: str) -> bytes:
    """The signed provenance of an image."""
    return it.statement(image_provenance(IMAGE, digest, run=it.signer))


def about_two(it: PublishedRelease, digest: str) -> None:
    """Put somebody's garbage beside an image, and then the signature."""
    about(it.registry, digest, b"x")
    about(it.registry, digest, signed_for(it, digest))


OTHER = f"sha256:{'e' * 64}"
Change = Callable[[PublishedRelease, str], object]
CASES: dict[str, tuple[Change, Mark, str, str]] = {
    "signed": (lambda it, d: about(it.registry, d, signed_for(it, d)), Mark.OK, "attestation of", "signed by"),
    "not signed": (lambda _it, _d: None, Mark.MISSING, "attestation of", "nothing on the registry is about it"),
    "a signature of another image": (
        lambda it, d: about(it.registry, d, signed_for(it, OTHER)),
        Mark.WRONG,
        "attestation of",
        "and the image has",
    ),
    "only listed for it": (
        lambda it, d: about(it.registry, d, signed_for(it, d), subject=OTHER),
        Mark.WRONG,
        "attestation of",
        "is about another image",
    ),
    "garbage": (lambda it, d: about(it.registry, d, b"<html>"), Mark.UNKNOWN, "attestation of", "cannot be read"),
    "beside another's": (
        about_two,
        Mark.OK,
        "attestation of",
        "signed by",
    ),
    "gone": (lambda it, d: it.registry.manifests.pop(d), Mark.MISSING, "sha256:", "does not have it"),
    "a moved tag": (
        lambda it, _d: it.registry.tags.update({COMMIT_TAG: OTHER}),
        Mark.WRONG,
        "sha256:",
        f"is {OTHER}, expected",
    ),
    "down": (lambda it, _d: setattr(it.registry, "fails", down()), Mark.UNKNOWN, "sha256:", "answered 502"),
}


@pytest.mark.parametrize("case", CASES)
def test_an_image(released: PublishedRelease, tmp_path: Path, case: str) -> None:
    """What the record of pushes names is there, and one signature of the release's workflow is about it."""
    change, mark, name, note = CASES[case]
    change(released, with_image(released))
    verdict = released.verify(tmp_path)
    check = next(each for each in verdict.checks if each.surface == IMAGE and each.name.startswith(name))
    assert (check.mark, verdict.answer) == (mark, mark), verdict.checks
    assert note in check.note


def test_a_record_of_something_else(released: PublishedRelease, tmp_path: Path) -> None:
    """Garbage is unknown, and the record of another commit wrong."""
    released.forge.assets[push_record.NAME] = b"{}"
    assert found(released.verify(tmp_path), "github", push_record.NAME).mark is Mark.UNKNOWN
    released.forge.assets[push_record.NAME] = push_record.encode(PushRecord(tag="v2", commit="d" * 40, images=()))
    assert found(released.verify(tmp_path), "github", push_record.NAME).mark is Mark.WRONG
