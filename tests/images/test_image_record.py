"""The record of images is read back as it was written, and counts only if it is vouched for."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support import sample_values

from unmoor.artifacts.run_dir import IMAGES, RunFolder
from unmoor.errors import Unknown
from unmoor.images import image_names, image_record
from unmoor.products import Image, Images, Proof, Subject
from unmoor.util.values import replace

RELEASE = sample_values.sample_release()
IMAGE = Image(name="ghcr.io/a/b", target="", platform="linux/amd64", id="sha256:" + "1" * 64, size=1)
WHEELS = (Subject(name="x.whl", sha256="2" * 64),)


def test_the_record(tmp_path: Path) -> None:
    """A record that was written can be read; one that nothing vouches for counts as missing, whatever it holds."""
    folder = RunFolder(tmp_path / "v1.0")
    assert image_record.read_record(folder) is None
    image_record.write_build_record(folder, RELEASE.commit, WHEELS, Images(images=(IMAGE,)))
    recorded = image_record.read_record(folder)
    assert recorded is not None
    assert (recorded.commit, recorded.wheels, recorded.images) == (RELEASE.commit, WHEELS, (IMAGE,))
    assert image_names.subject_of(IMAGE) == Subject(name="ghcr.io/a/b: linux/amd64", sha256="1" * 64)
    for data in (b"", b"{}", b"x", image_record.encode(replace(recorded, commit="f" * 40))):
        (folder.path / IMAGES).write_bytes(data)
        assert image_record.read_record(folder) == recorded
        assert folder.unvouched() == (IMAGES,)
    assert replace(IMAGE, size=2) == IMAGE


def test_a_complete_record_goes_first(tmp_path: Path) -> None:
    """The complete record has the proof and the manifest; another build of the images makes it invalid."""
    folder = RunFolder(tmp_path / "v1.0")
    image_record.write_build_record(folder, RELEASE.commit, WHEELS, Images(images=(IMAGE,)))
    built = image_record.read_record(folder)
    assert built is not None
    proof = Proof(name=image_record.PROOF, subjects=(image_names.subject_of(IMAGE),), results=())
    folder.write_document(IMAGES, image_record.encode(built.complete(manifest="3" * 64, proof=proof)))
    whole = image_record.read_record(folder)
    assert whole is not None
    assert (whole.manifest, whole.proof(), list(image_record.proofs(folder))) == ("3" * 64, proof, [proof])
    image_record.write_build_record(folder, RELEASE.commit, WHEELS, Images(images=(replace(IMAGE, id="sha256:9"),)))
    again = image_record.read_record(folder)
    assert again is not None
    assert (again.manifest, again.proof()) == ("", None)


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"\xff", b"{}", b'{"schema": 1, "commit": "", "wheels": [], "images": []}']
)
def test_a_record_that_cannot_be_read(tmp_path: Path, data: bytes) -> None:
    """A record that is vouched for, but broken or of another schema, is unknown and never taken for absent."""
    folder = RunFolder(tmp_path / "v1.0")
    folder.write_document(IMAGES, data)
    with pytest.raises(Unknown, match="record of images"):
        image_record.read_record(folder)
