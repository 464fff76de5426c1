"""The jobs of the written release workflow that deploy, run by act after the release, each with its own secret."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.act import Fault
from tests.support.act_release import PUSH, ActRelease, release_text, start_act_release
from tests.support.documented_projects import ANNOUNCE, DEPLOYED, DEPLOYED_FILES
from tests.support.systems import linux

from unmoor.config.announce import AnnounceSettings
from unmoor.config.docs import DocsSettings
from unmoor.config.scan import ScanSettings
from unmoor.config.settings import Settings
from unmoor.config.space import SpaceSettings
from unmoor.rehearsal.announce.targets import caught
from unmoor.util.values import replace

pytestmark = [linux, pytest.mark.journey, pytest.mark.timeout(500)]

SETTINGS = Settings(
    tests="off",
    testpypi="off",
    reproducible="off",
    sbom="off",
    attestations="off",
    scan=ScanSettings(secrets="off", vulnerabilities="off"),
    docs=DocsSettings(builder="python docs/build.py {out}", to="branch:gh-pages"),
    space=SpaceSettings(repo="acme/demo", files=("app.py",), critical=("app.py",)),
    announce=AnnounceSettings(targets={"chat": "CHAT_URL"}, on=("released", "failed")),
)
"""What `DEPLOYED` says, too."""


def told(release: ActRelease) -> list[str]:
    """The title of each message that was caught."""
    return [each.title for each in caught(release.world.folder)]


def test_each_deployment_is_a_job_and_goes_on_after_a_failure(tmp_path: Path) -> None:
    """A job that fails stops no other, and people hear of it; run again, it deploys what is missing."""
    text = release_text(SETTINGS)
    started = start_act_release(
        tmp_path, {"release.yml": text}, DEPLOYED_FILES, more=DEPLOYED, announce=ANNOUNCE, deployments=["hub"]
    )
    with started as release:
        run = release.runs.run(PUSH, fault=Fault(job="deploy-space"))
        assert [job for job, passed in run.ended.items() if not passed] == ["deploy-space"], run.words()
        assert told(release) == ["The release of small-one 1.0 failed"]
        pages = release.runs.git("rev-parse", "gh-pages")
        assert release.runs.git("rev-parse", "gh-pages:1.0") == release.runs.git("rev-parse", "gh-pages:stable")

        # What needs a failed job runs again with it.
        again = release.runs.run(PUSH, before=replace(run, ended={**run.ended, "announce": False}))
        assert set(again.ended.items()) >= {("deploy-space", True), ("announce", True)}, again.words()
        assert told(release) == ["The release of small-one 1.0 failed", "small-one 1.0 is released"]
        assert release.runs.git("rev-parse", "gh-pages") == pages
        hub = [each for each in release.requests() if each["server"] == "hub"]
        assert sum("/commit/" in each["path"] for each in hub) == 1
        for secret in release.runs.secrets.values():
            assert secret not in run.words() + again.words()
