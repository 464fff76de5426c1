"""The stage ``scan-images`` scans every image, and stops before any of them is pushed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from tests.scanning.test_judge import TODAY, options
from tests.support.scanners import vulnerability
from tests.support.unused_services import unused_pipeline

from unmoor.config.images import ImageSettings
from unmoor.config.scan import ScanSettings
from unmoor.config.settings import Settings
from unmoor.core.stage import Output, StageContext
from unmoor.errors import Incomplete, ToolMissing, Unknown, UnmoorError, Unsafe
from unmoor.ports.scanner import Audit
from unmoor.products import Image, Images, Scanned
from unmoor.stages.scan_images import ScanImages
from unmoor.util.values import replace

IMAGE = Image(name="ghcr.io/acme/demo", target="", platform="linux/amd64", id="sha256:1", size=1)
FOUND = Audit(scanner="trivy", packages=9, vulnerabilities=(vulnerability(package="openssl", version="3"),))


@dataclass
class SavingEngine:
    """Saves an archive of one image, or fails to."""

    gone: bool = False
    facts: object = "an image"
    saved: list[str] = field(default_factory=list)

    def look(self, image: str) -> object:
        """Describe an image, or raise an error."""
        assert image
        if isinstance(self.facts, UnmoorError):
            raise self.facts
        return self.facts

    def save(self, names: Sequence[str], into: Path) -> None:
        """Write the archive."""
        if self.gone:
            raise Incomplete("the engine has no such image")
        self.saved += names
        into.write_bytes(b"tar")


@dataclass
class ArchiveScanner:
    """Gives the same answer for every archive."""

    answer: Audit | UnmoorError
    program: str = "trivy"

    def audit(self, archive: Path, *, patience: float) -> Audit:
        """Give the answer."""
        assert archive.read_bytes() == b"tar"
        assert patience > 0
        if isinstance(self.answer, UnmoorError):
            raise self.answer
        return self.answer


@dataclass
class ImageScan:
    """The stage over one or two images, and what it says."""

    settings: ScanSettings
    scanner: ArchiveScanner | None
    engine: SavingEngine = field(default_factory=SavingEngine)
    files: Scanned = field(default_factory=Scanned)
    warned: list[str] = field(default_factory=list)

    @property
    def stage(self) -> ScanImages:
        """The stage."""
        return ScanImages(
            images=Output("images"),
            files=Output("scan"),
            engine=cast("Any", self.engine),
            options=self.settings,
            scanner=self.scanner,
            day=TODAY,
        )

    def run(self, *images: Image) -> Scanned:
        """Run the stage."""
        products = {"images": Images(images=images), "scan": self.files}
        return self.stage.make(StageContext(products, warn=self.warned.append))


def test_every_image_is_scanned() -> None:
    """What is found in any image is a warning, or stops, as the settings say; images have names."""
    other = replace(IMAGE, id="sha256:2", target="dev")
    at = ImageScan(options(vulnerabilities="advisory"), ArchiveScanner(FOUND))
    scanned = at.run(IMAGE, other)
    assert at.engine.saved == ["sha256:1", "sha256:2"]
    assert scanned.packages == 18
    assert at.warned == [
        "ghcr.io/acme/demo for linux/amd64 needs openssl 3: CVE-1: it hangs; fixed in 3.7",
        "ghcr.io/acme/demo (dev) for linux/amd64 needs openssl 3: CVE-1: it hangs; fixed in 3.7",
    ]
    with pytest.raises(Unsafe, match="openssl 3"):
        ImageScan(options(), ArchiveScanner(FOUND)).run(IMAGE)
    assert ImageScan(options("CVE-1"), ArchiveScanner(FOUND)).run(IMAGE).counting == ()


def test_what_nobody_can_update() -> None:
    """A vulnerability that no version fixes is only listed."""
    unfixed = Audit(scanner="trivy", packages=1, vulnerabilities=(replace(FOUND.vulnerabilities[0], fixed=()),))
    at = ImageScan(options(), ArchiveScanner(unfixed))
    assert (len(at.run(IMAGE).findings), at.warned) == (1, [])


@pytest.mark.parametrize(
    ("scanner", "engine", "words"),
    [
        (ArchiveScanner(FOUND, program=""), SavingEngine(), "neither trivy nor grype"),
        (ArchiveScanner(Unknown("crashed")), SavingEngine(), "crashed"),
        (ArchiveScanner(FOUND), SavingEngine(gone=True), "no such image"),
    ],
)
def test_what_cannot_be_scanned(scanner: ArchiveScanner, engine: SavingEngine, words: str) -> None:
    """A scanner that is missing or fails is unknown: a warning, or an error if the scan is required."""
    at = ImageScan(options(vulnerabilities="advisory"), scanner, engine)
    at.run(IMAGE)
    assert [text for text in at.warned if words in text]
    with pytest.raises(Unknown, match=words):
        ImageScan(options(), scanner, engine).run(IMAGE)


@pytest.mark.parametrize("facts", [None, ToolMissing("there is no engine")])
def test_images_of_an_earlier_run(facts: object) -> None:
    """What this machine does not have, it cannot push: it was scanned before it was pushed, and stops nothing."""
    at = ImageScan(options(), ArchiveScanner(FOUND), SavingEngine(facts=facts))
    assert "not on this machine" in at.run(IMAGE).summary
    assert (len(at.warned), at.engine.saved) == (1, [])


def test_a_world_without_a_scanner() -> None:
    """A rehearsal scans no image, and says so."""
    at = ImageScan(options(vulnerabilities="advisory"), None)
    assert "not scanned: images" in at.run(IMAGE).summary
    assert (at.warned, at.engine.saved) == ([], [])
    assert "scan no image" in at.stage.plan()


def test_what_is_ignored_in_vain() -> None:
    """An advisory that neither the files nor the images have is ignored in vain; one of either is not."""
    files = Scanned(
        findings=(
            next(iter(ImageScan(options(vulnerabilities="advisory"), ArchiveScanner(FOUND)).run(IMAGE).findings)),
        )
    )
    for found, warned in ((files, 0), (Scanned(), 1), (Scanned(skipped=("vulnerabilities",)), 0)):
        at = ImageScan(options("CVE-1"), ArchiveScanner(Audit(scanner="trivy", packages=1)), files=found)
        at.run(IMAGE)
        assert len(at.warned) == warned


@pytest.mark.parametrize(("policy", "there"), [("required", True), ("advisory", True), ("off", False)])
def test_the_draft_waits_for_it(policy: str, there: bool) -> None:  # noqa: FBT001 - a table
    """Nothing is sent before the images are scanned."""
    pipeline = unused_pipeline(Settings(scan=options(vulnerabilities=policy)), images=(ImageSettings(),))
    stages = {stage.name: stage for stage in pipeline.stages}
    assert ("scan-images" in stages) == there
    for name in ("sign", "draft"):
        assert ("scan-images" in {each.by for each in stages[name].needs}) == there
