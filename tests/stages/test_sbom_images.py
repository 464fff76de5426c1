"""The stage ``sbom-images`` describes every image, and what it cannot know is no empty list."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from tests.support.local_forge import RELEASE
from tests.support.syft import REPORT
from tests.support.unused_services import unused_pipeline

from unmoor.artifacts.run_dir import RunFolder
from unmoor.config.images import ImageSettings
from unmoor.config.settings import Settings
from unmoor.core.stage import Output, StageContext
from unmoor.errors import Interrupted, ToolMissing, Unknown, UnmoorError
from unmoor.products import Image, Images, ImageSboms, Release
from unmoor.stages.sbom_images import DescribeImages
from unmoor.util.values import replace

IMAGES: Output[Images] = Output("images")
ONE = Image(name="ghcr.io/acme/demo", target="", platform="linux/amd64", id=f"sha256:{'1' * 64}", size=1)
TWO = replace(ONE, target="dev", id=f"sha256:{'2' * 64}")
PRINTED = json.dumps(REPORT)


@dataclass
class Engine:
    """Has every image but the missing ones."""

    missing: tuple[str, ...] = ()

    def look(self, image: str) -> object:
        """Describe an image."""
        return None if image in self.missing else "an image"

    def save(self, names: Sequence[str], into: Path) -> None:
        """Write an archive that names its image."""
        into.write_text(" ".join(names))


@dataclass
class Inventory:
    """Says the same about every image, or fails."""

    answer: str | UnmoorError = PRINTED
    program: str = "syft"
    asked: list[str] = field(default_factory=list)

    def describe(self, archive: Path, *, patience: float) -> str:
        """Give the answer."""
        assert patience > 0
        self.asked.append(archive.read_text())
        if not self.program:
            raise ToolMissing("syft is not installed")
        if isinstance(self.answer, UnmoorError):
            raise self.answer
        return self.answer


@dataclass
class Describing:
    """The stage over two images, in a run folder."""

    folder: RunFolder
    inventory: Inventory = field(default_factory=Inventory)
    engine: Engine = field(default_factory=Engine)
    required: bool = False
    images: Images = field(default_factory=lambda: Images(images=(ONE, TWO)))
    warned: list[str] = field(default_factory=list)

    @property
    def stage(self) -> DescribeImages:
        """The stage."""
        return DescribeImages(
            release=RELEASE,
            images=IMAGES,
            engine=cast("Any", self.engine),
            inventory=self.inventory,
            folder=self.folder,
            required=self.required,
        )

    @property
    def context(self) -> StageContext:
        """The context of the stage."""
        release = Release(
            repository="acme/demo",
            project="demo",
            tag="v1.0",
            version="1.0",
            commit="a" * 40,
            date=0,
            prerelease=False,
            highest=True,
        )
        return StageContext({RELEASE.by: release, IMAGES.by: self.images}, warn=self.warned.append)

    def find(self) -> ImageSboms | None:
        """Look."""
        return self.stage.find(self.context)

    def make(self) -> ImageSboms:
        """Run the stage."""
        return self.stage.make(self.context)


@pytest.fixture
def at(tmp_path: Path) -> Describing:
    """Two images, and a program that describes them."""
    return Describing(RunFolder(tmp_path / "run"))


def test_every_image_is_described_once(at: Describing) -> None:
    """Each has its own file, which the next run takes; one that is damaged or of another image is made again."""
    assert at.find() is None
    made = at.make()
    assert [each.image for each in made.sboms] == [ONE, TWO]
    assert at.inventory.asked == [ONE.id, TWO.id]
    assert (at.find(), at.make()) == (made, made)
    assert len(at.inventory.asked) == 2
    assert made.summary == "2 SBOMs of images"
    made.sboms[1].file.path.write_bytes(made.sboms[0].file.path.read_bytes())
    assert at.find() is None
    assert at.make() == made
    assert at.inventory.asked[2:] == [TWO.id]
    assert at.warned == []


def test_without_the_program(at: Describing) -> None:
    """Nothing is made, and the summary says so, which is no warning; where it is required, the program is named."""
    at.inventory.program = ""
    found = at.find()
    assert found is not None
    assert found == at.make()
    assert found.summary == "0 SBOMs of images: syft is not installed, which lists what is in an image"
    assert at.warned == []
    at.required = True
    assert at.find() is None
    with pytest.raises(ToolMissing, match="syft is not installed"):
        at.make()


@pytest.mark.parametrize(
    "answer", ["garbage", "", "{}", json.dumps(REPORT | {"components": []}), Unknown("syft failed: it crashed")]
)
def test_what_is_not_known(at: Describing, answer: str | UnmoorError) -> None:
    """It is a warning, or stops the release if it is required, and is never a list of nothing."""
    at.inventory.answer = answer
    made = at.make()
    assert made.sboms == ()
    assert len(at.warned) == 1
    assert "no SBOM of ghcr.io/acme/demo for linux/amd64" in at.warned[0]
    assert made.why_not
    at.required = True
    with pytest.raises(Unknown):
        at.make()


def test_a_run_that_is_to_end(at: Describing) -> None:
    """An interruption is no failure of the program."""
    at.inventory.answer = Interrupted("SIGTERM")
    with pytest.raises(Interrupted):
        at.make()


@pytest.mark.parametrize("required", [True, False])
def test_images_of_an_earlier_run(at: Describing, *, required: bool) -> None:
    """What this machine does not have, an earlier run has pushed: it stops nothing here."""
    at.engine.missing, at.required = (TWO.id,), required
    made = at.make()
    assert [each.image for each in made.sboms] == [ONE]
    assert "not on this machine" in made.why_not
    at.images = Images(images=(ONE, TWO), vouched=False)
    found = at.find()
    assert found is not None
    assert (found.sboms, at.warned) == ((), [])


@pytest.mark.parametrize(("policy", "there"), [("required", True), ("auto", True), ("off", False)])
def test_what_waits_for_it(policy: Any, there: bool) -> None:  # noqa: FBT001 - a table
    """Nothing is sent before the images are described, so that a program that is missing stops in time."""
    pipeline = unused_pipeline(Settings(sbom=policy), images=(ImageSettings(),))
    stages = {stage.name: stage for stage in pipeline.stages}
    assert ("sbom-images" in stages) == there
    for name in ("sign", "draft", "sign-images"):
        assert ("sbom-images" in {each.by for each in stages[name].needs}) == there
    assert "sbom-images" not in unused_pipeline(Settings(sbom=policy)).names
