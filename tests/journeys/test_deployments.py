"""A release with documentation and an announcement: from the release to status, undo of one part, and deploying it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.support.documented_projects import ANNOUNCE, documented_repo
from tests.support.local_release import LocalRelease, digests_in

from unmoor.rehearsal import local

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

DEPLOYED = ("docs", "announce")


def deployments(place: LocalRelease) -> tuple[int, dict[str, str]]:
    """The exit code of status, and the state of what is deployed."""
    ran = place.status("--json")
    document = json.loads(ran.stdout)
    return ran.returncode, {
        each["surface"]: each["state"] for each in document["surfaces"] if each["surface"] in DEPLOYED
    }


def test_what_is_deployed_is_seen_taken_back_and_deployed_alone(tmp_path: Path) -> None:
    """One command deploys what another took back; nothing is built for it, and nothing else of the release changes."""
    repo = documented_repo(tmp_path / "small")
    with local.start(tmp_path / "world", repository="acme/small", checkout=repo.path, announce=ANNOUNCE):
        place = LocalRelease(repo=repo, world=tmp_path / "world")
        world = ("--world", str(place.world_file), "v1.0")
        early = place.unmoor("deploy", "docs", *world)
        assert early.returncode == 12, early.stderr
        assert "v1.0 is not public" in early.stderr

        released = place.release()
        assert released.returncode == 0, released.stderr
        assert "deployed: docs" in released.stderr
        assert "chat: released sent" in released.stderr
        assert deployments(place) == (0, dict.fromkeys(DEPLOYED, "complete"))

        planned = place.unmoor("undo", "--only", "docs", *world)
        assert planned.returncode == 0, planned.stderr
        assert planned.stdout.startswith("docs: would be taken back: ")
        undone = place.unmoor("undo", "--only", "docs", "--apply", *world)
        assert undone.returncode == 0, undone.stderr
        ran = place.status()
        assert ran.returncode == 12
        assert "\ndocs      incomplete  not there" in ran.stdout
        assert ran.stderr.endswith(f"then:  unmoor deploy docs {' '.join(world)}\n")

        # A machine that has only the sha256 of the manifest, as a job of its own has.
        elsewhere = LocalRelease(
            repo=documented_repo(tmp_path / "elsewhere"), world=place.world, state=tmp_path / "state"
        )
        refused = elsewhere.unmoor("deploy", "docs", *world)
        assert refused.returncode != 0
        digest = digests_in(released.stderr)["manifest.json"]
        deployed = elsewhere.unmoor("deploy", "docs", "--manifest-sha256", digest, "--json", *world)
        assert deployed.returncode == 0, deployed.stderr
        assert [(each["what"], each["state"]) for each in json.loads(deployed.stdout)["deployments"]] == [
            ("docs", "done")
        ]
        again = elsewhere.unmoor("deploy", "docs", "--manifest-sha256", digest, *world)
        assert again.returncode == 0, again.stderr
        assert "already there" in again.stdout
