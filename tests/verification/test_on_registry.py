"""Images: their digests, and signatures that are about them and not only listed for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.published import TAG, FakeRegistry, PublishedRelease, down, found, sha256

from unmoor.artifacts import oci
from unmoor.images.oci_documents import BUNDLE, PREDICATE_TYPE, bundle_manifest
from unmoor.ports.registry import Referrer
from unmoor.products import PushedImage, Subject
from unmoor.provenance.statements import CYCLONEDX, PROVENANCE, image_provenance, sbom_statement
from unmoor.publish import push_record
from unmoor.publish.push_record import PushRecord
from unmoor.verification.checks import Mark

IMAGE = "ghcr.io/acme/demo"
COMMIT_TAG = "sha-aaaaaaa"


def about(registry: FakeRegistry, digest: str, bundle: bytes, *, subject: str = "", kind: str = PROVENANCE) -> None:
    """Put a signature beside an image. ``subject`` is what its manifest says, ``kind`` what the list says."""
    layer = oci.Descriptor(media_type=BUNDLE, digest=f"sha256:{sha256(bundle)}", size=len(bundle))
    registry.blobs[layer.digest] = bundle
    target = oci.Descriptor(media_type=oci.OCI_MANIFEST, digest=subject or digest, size=2)
    manifest, _ = bundle_manifest(target, bundle, PROVENANCE, created=0)
    put = registry.put(manifest)
    entry = Referrer(digest=put, media_type="m", size=1, artifact_type=BUNDLE, annotations={PREDICATE_TYPE: kind})
    registry.about[digest] = (*registry.about.get(digest, ()), entry)


def with_image(it: PublishedRelease, platforms: tuple[tuple[str, str], ...] = ()) -> str:
    """Push one image and say so on the release. Return its digest."""
    digest = it.registry.put(b"{}")
    it.registry.tags[COMMIT_TAG] = digest
    image = PushedImage(name=IMAGE, target="", tag=COMMIT_TAG, digest=digest, platforms=platforms)
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
    "not signed": (
        lambda _it, _d: None,
        Mark.MISSING,
        "attestation of",
        "nothing on the registry says how it was made",
    ),
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
        "and not about sha256:",
    ),
    "garbage": (lambda it, d: about(it.registry, d, b"<html>"), Mark.UNKNOWN, "attestation of", "cannot be read"),
    "beside another's": (
        about_two,
        Mark.OK,
        "attestation of",
        "signed by",
    ),
    "another's only": (
        lambda it, d: about(it.registry, d, b"x", kind="https://example.org/scan"),
        Mark.MISSING,
        "attestation of",
        "nothing on the registry says",
    ),
    "listed as something else": (
        lambda it, d: about(it.registry, d, signed_for(it, d), kind="https://cyclonedx.org/bom"),
        Mark.WRONG,
        "attestation of",
        "and the list says https://cyclonedx.org/bom",
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
    found_here = [each for each in verdict.checks if each.surface == IMAGE and each.name.startswith(name)]
    check = next(each for each in found_here if note in each.note)
    assert (check.mark, verdict.answer) == (mark, mark), verdict.checks


def sbom_of(it: PublishedRelease, digest: str) -> bytes:
    """The signed bill of materials of an image."""
    return it.statement(sbom_statement(Subject(name=IMAGE, sha256=digest.removeprefix("sha256:")), {"components": []}))


@pytest.mark.parametrize(
    ("make", "mark", "note"),
    [
        (sbom_of, Mark.OK, "signed by"),
        (lambda it, _: sbom_of(it, OTHER), Mark.WRONG, "and the image has"),
        (signed_for, Mark.WRONG, "and the list says https://cyclonedx.org/bom"),
        (lambda _it, _d: b"<html>", Mark.UNKNOWN, "cannot be read"),
    ],
)
@pytest.mark.parametrize("of_platform", [True, False])
def test_an_sbom_of_an_image(
    released: PublishedRelease,
    tmp_path: Path,
    make: Callable[[PublishedRelease, str], bytes],
    mark: Mark,
    note: str,
    *,
    of_platform: bool,
) -> None:
    """It is beside the image, or beside one of its platforms, and is about that digest. None is no fault."""
    platform = released.registry.put(b'{"platform": "arm64"}')
    whole = with_image(released, (("linux/arm64", platform),))
    about(released.registry, whole, signed_for(released, whole))
    assert released.verify(tmp_path / "without").answer is Mark.OK
    digest = platform if of_platform else whole
    about(released.registry, digest, make(released, digest), kind=CYCLONEDX)
    verdict = released.verify(tmp_path / "with")
    assert verdict.answer is mark
    checked = [each for each in verdict.checks if each.name == f"attestation of {digest[:19]}…"]
    assert [each.mark for each in checked if note in each.note][-1:] == [mark]


def test_a_record_of_something_else(released: PublishedRelease, tmp_path: Path) -> None:
    """Garbage is unknown, and the record of another commit wrong."""
    released.forge.assets[push_record.NAME] = b"{}"
    assert found(released.verify(tmp_path), "github", push_record.NAME).mark is Mark.UNKNOWN
    released.forge.assets[push_record.NAME] = push_record.encode(PushRecord(tag="v2", commit="d" * 40, images=()))
    assert found(released.verify(tmp_path), "github", push_record.NAME).mark is Mark.WRONG


def test_more_images_than_any_release_has(released: PublishedRelease, tmp_path: Path) -> None:
    """They are not all asked for."""
    image = PushedImage(name=IMAGE, target="", tag=COMMIT_TAG, digest=OTHER, platforms=())
    record = PushRecord(tag=TAG, commit=released.forge.commit, images=(image,) * 201)
    released.forge.assets[push_record.NAME] = push_record.encode(record)
    assert found(released.verify(tmp_path), "github", push_record.NAME).mark is Mark.UNKNOWN
