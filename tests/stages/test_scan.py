"""The stage ``scan`` stops before anything is sent, and says who would be asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.scanning.test_archives import KEY, TOKEN, wheel
from tests.scanning.test_judge import TODAY, options
from tests.support.scanners import FakeScanner, vulnerability
from tests.support.unused_services import unused_pipeline

from unmoor.config.scan import ScanSettings
from unmoor.config.settings import Settings
from unmoor.core.stage import Output, Reach, StageContext
from unmoor.errors import Unsafe
from unmoor.ports.scanner import Audit, DependencyScanner
from unmoor.products import Dists
from unmoor.stages.scan import ScanFiles

CLEAN = FakeScanner(Audit(scanner="s", packages=3))


def stage_of(settings: ScanSettings, scanner: DependencyScanner | None = CLEAN) -> ScanFiles:
    """Return the stage."""
    return ScanFiles(dists=Output("dists"), options=settings, scanner=scanner, day=TODAY)


def test_what_it_reports(tmp_path: Path) -> None:
    """Warnings are what is advisory; what is ignored, or taken for a sample, is said; the product has all of it."""
    said: list[str] = []
    warned: list[str] = []
    file = wheel(tmp_path, **{"demo/a.py": TOKEN, "tests/a.key": KEY})
    scanner = FakeScanner(Audit(scanner="s", packages=3, vulnerabilities=(vulnerability(),), notes=("a note",)))
    stage = stage_of(options("github-token:demo/a.py", vulnerabilities="advisory"), scanner)
    context = StageContext({"dists": Dists(files=(file,))}, say=said.append, warn=warned.append)
    scanned = stage.make(context)
    assert scanned.summary == "1 file, 3 packages: 1 finding; 1 ignored"
    assert [text for text in said if text.startswith("ignored until 2026-11-28")]
    assert [text for text in said if "taken for samples" in text and "a private key in tests/a.key" in text]
    assert warned == [
        "demo-1.0-py3-none-any.whl needs idna 3.6: CVE-1: it hangs; fixed in 3.7",
        "a note",
    ]
    assert len(scanned.findings) == 3


def test_a_secret_stops(tmp_path: Path) -> None:
    """A secret is an error with the line that would ignore it."""
    dists = Dists(files=(wheel(tmp_path, **{"demo/a.py": TOKEN}),))
    with pytest.raises(Unsafe, match=r"github-token:demo/a\.py") as caught:
        stage_of(ScanSettings()).make(StageContext({"dists": dists}))
    assert caught.value.exit_code == 17


@pytest.mark.parametrize(
    ("settings", "scanner", "words"),
    [
        (ScanSettings(), CLEAN, ["search every file for secrets", "ask a service for"]),
        (ScanSettings(), None, ["search every file for secrets", "ask nobody"]),
        (ScanSettings(vulnerabilities="off"), CLEAN, ["search every file for secrets"]),
        (ScanSettings(secrets="off"), CLEAN, ["ask a service for"]),
    ],
)
def test_plan(settings: ScanSettings, scanner: DependencyScanner | None, words: list[str]) -> None:
    """The plan names what is scanned, and the service that gets the names of packages."""
    parts = stage_of(settings, scanner).plan().split("; ")
    assert len(parts) == len(words)
    assert all(word in part for word, part in zip(words, parts, strict=True))


@pytest.mark.parametrize(
    ("settings", "there"),
    [
        (ScanSettings(), True),
        (ScanSettings(vulnerabilities="off"), True),
        (ScanSettings(secrets="off"), True),
        (ScanSettings(secrets="off", vulnerabilities="off"), False),
    ],
)
def test_everything_that_sends_waits_for_it(settings: ScanSettings, there: bool) -> None:  # noqa: FBT001 - a table
    """Every stage that sends needs the scan, directly or through another one; without scans there is no stage."""
    pipeline = unused_pipeline(Settings(scan=settings))
    stages = {stage.name: stage for stage in pipeline.stages}
    assert ("scan" in stages) == there

    def waits(name: str) -> bool:
        return any(each.by == "scan" or waits(each.by) for each in stages[name].needs)

    sending = [name for name, stage in stages.items() if stage.reach >= Reach.REMOTE]
    assert {waits(name) for name in sending} == {there}
