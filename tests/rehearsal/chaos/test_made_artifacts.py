"""Wheels and images that are made by hand are valid: what reads real ones reads them, too."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from unmoor.artifacts import oci
from unmoor.dists.inspect import modules, read_metadata
from unmoor.rehearsal.chaos.made_artifacts import make_image, make_index, make_wheel


def test_a_wheel_has_metadata_and_its_module(tmp_path: Path) -> None:
    """Its name is normalized in the file's name, and written as given in the metadata."""
    path = make_wheel(tmp_path, "Demo-One", "2.0", "text = 1\n")
    assert path.name == "demo_one-2.0-py3-none-any.whl"
    metadata = read_metadata(path)
    assert (metadata.name, metadata.version) == ("Demo-One", "2.0")
    assert modules(path) == ("demo_one",)
    with zipfile.ZipFile(path) as archive:
        assert archive.read("demo_one.py") == b"text = 1\n"
        rows = archive.read("demo_one-2.0.dist-info/RECORD").decode().splitlines()
    assert len(rows) == 4


def test_an_index_names_its_images_by_platform() -> None:
    """The labels are in the configuration, which the manifest names by its digest."""
    images = [make_image(each, {"version": "1.0"}) for each in ("linux/arm64", "linux/amd64")]
    index = make_index(images)
    read = oci.read_manifest(index.data, index.media_type, where="here")
    assert isinstance(read, oci.ImageIndex)
    assert read.images == {each.platform: each.manifest.digest for each in images}
    for each in images:
        document = oci.read_manifest(each.manifest.data, each.manifest.media_type, where="here")
        assert isinstance(document, oci.ImageManifest)
        config = {oci.digest_of(blob): blob for blob in each.blobs}[document.config.digest]
        assert json.loads(config)["config"]["Labels"] == {"version": "1.0"}
