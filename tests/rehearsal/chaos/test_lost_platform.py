"""The record of what was built lacks the images of one platform, and still counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from unmoor.artifacts.belief import Belief
from unmoor.artifacts.notebook import StateNotebook
from unmoor.artifacts.run_dir import IMAGES, RunFolder
from unmoor.images.image_record import ImageRecord, encode, read_record
from unmoor.products import Image
from unmoor.rehearsal.chaos.folders import WorldFolder
from unmoor.rehearsal.chaos.lost_platform import lose_platform
from unmoor.rehearsal.invariants.evidence import Expected

EXPECTED = Expected(repository="acme/demo", project="demo", tag="v1.0", version="1.0", commit="c" * 40, files={})


@pytest.mark.parametrize(
    ("platforms", "kept"),
    [
        (("linux/amd64", "linux/arm64"), {"linux/amd64"}),
        (("linux/amd64",), None),
        (None, None),
    ],
    ids=["two", "one", "no record"],
)
def test_the_last_platform_is_gone(tmp_path: Path, platforms: tuple[str, ...] | None, kept: set[str] | None) -> None:
    """Both targets lose it. Without another platform there is no record any more, and nothing to do without one."""
    folder = WorldFolder(tmp_path, "v1.0")
    folder.checkout.mkdir()
    folder.state.mkdir(mode=0o700)

    def run() -> RunFolder:
        state = folder.state / "unmoor"
        notebook = StateNotebook.of("acme/demo", "v1.0", "c" * 40, checkout=folder.checkout, state=state)
        return RunFolder(folder.run, Belief(notebook=notebook))

    if platforms is not None:
        images = tuple(
            Image(name="ghcr.io/acme/demo", target=target, platform=platform, id=f"sha256:{'a' * 64}", size=1)
            for target in ("production", "development")
            for platform in platforms
        )
        run().write_document(IMAGES, encode(ImageRecord(commit="c" * 40, wheels=(), images=images)))
    assert lose_platform(folder, EXPECTED) is (platforms is not None)
    record = read_record(run())
    assert (None if record is None else {each.platform for each in record.images}) == kept
    assert record is None or len(record.images) == 2
