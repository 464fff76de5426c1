"""Releases without stored credentials: the indexes exchange the job's identity for short-lived tokens."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.ci_jobs import REUSABLE_WORKFLOW, job_environ
from tests.support.local_release import LocalRelease, small_repo

from unmoor.rehearsal import local
from unmoor.rehearsal.local import LocalWorld

pytestmark = pytest.mark.journey

PUBLISHER = {"project": "small-one", "repository": "acme/small", "workflow": "release.yml"}
LOOKS_SECRET = re.compile(rb"eyJ[A-Za-z0-9_-]{20,}\.eyJ|pypi-Ag[A-Za-z0-9_-]{20}")


@dataclass(frozen=True)
class TrustedRelease:
    """A checkout, a world whose file has no credential for an index, and a job in it."""

    local: LocalRelease
    running: LocalWorld

    def publishers(self, **indexes: Mapping[str, object]) -> None:
        """Set the only publisher of each index."""
        for index, publisher in indexes.items():
            (self.running.folder / index / "publishers.json").write_text(json.dumps([publisher]))

    def release(self, *args: str) -> tuple[int, str]:
        """Release in a job; check that nothing it leaves or prints looks like a token."""
        ran = self.local.unmoor(
            *("release", "--world", str(self.local.world_file), *args, "v1.0"),
            env={**job_environ(self.running), "GITHUB_REPOSITORY": "acme/small"},
        )
        output = f"{ran.stdout}\n{ran.stderr}"
        seen = [output.encode()]
        seen += [path.read_bytes() for path in self.local.repo.path.rglob("*.json*") if path.is_file()]
        assert not any(LOOKS_SECRET.search(each) for each in seen)
        return ran.returncode, output

    def did(self) -> list[tuple[str, str]]:
        """The changes at the indexes, in order."""
        writes = [
            each
            for each in self.local.requests()
            if each["method"] == "POST" and each["server"] in {"pypi", "testpypi"}
        ]
        return [(each["server"], each["outcome"]) for each in writes]


@pytest.fixture
def trusted(tmp_path: Path) -> Iterator[TrustedRelease]:
    """Start the world; its indexes require trusted publishing."""
    repo = small_repo(tmp_path / "small")
    with local.start(tmp_path / "world", repository="acme/small", checkout=repo.path) as running:
        text = running.world_file.read_text()
        text = text.replace('trusted-publishing = "never"', 'trusted-publishing = "always"')
        text = re.sub(r'(?m)^password = ".*"$', 'password = ""', text)
        running.world_file.write_text(text)
        yield TrustedRelease(local=LocalRelease(repo=repo, world=tmp_path / "world"), running=running)


def test_a_first_release_uses_its_pending_publishers_when_it_publishes(trusted: TrustedRelease) -> None:
    """Each token is minted just before the uploads to that index, and a second run mints none."""
    pending = PUBLISHER | {"pending": True}
    trusted.publishers(testpypi=pending, pypi=pending)
    code, output = trusted.release()
    assert code == 0, output
    mint = [("testpypi", "minted"), *[("testpypi", "stored")] * 2, ("pypi", "minted"), *[("pypi", "stored")] * 2]
    assert trusted.did() == mint
    code, output = trusted.release()
    assert code == 0, output
    assert trusted.did() == mint


def test_a_publisher_that_does_not_match_is_found_before_anything_is_built(trusted: TrustedRelease) -> None:
    """The project exists, so the token is minted first; the error shows the claims."""
    for index in ("testpypi", "pypi"):
        folder = trusted.running.folder / index / "projects"
        folder.mkdir(exist_ok=True)
        (folder / "small-one.json").write_text(json.dumps({"name": "small-one", "serial": 1}))
    trusted.running.stop()
    with local.start(trusted.running.folder, repository="acme/small", checkout=None) as running:
        text = running.world_file.read_text()
        text = text.replace('trusted-publishing = "never"', 'trusted-publishing = "always"')
        running.world_file.write_text(re.sub(r'(?m)^password = ".*"$', 'password = ""', text))
        again = TrustedRelease(local=trusted.local, running=running)
        again.publishers(testpypi=PUBLISHER, pypi=PUBLISHER | {"environment": "pypi"})
        code, output = again.release()
        assert code == 5, output
        assert "environment: MISSING" in output
        assert again.did() == [("testpypi", "minted"), ("pypi", "invalid-publisher")]
        assert "building" not in output
        code, output = again.release("--hold")
        assert code == 0, output
        assert ("pypi", "minted") not in again.did()


def test_a_reusable_workflow_is_warned_of_and_the_index_decides(trusted: TrustedRelease) -> None:
    """The reason is told before the build, and again with the index's refusal; nothing is uploaded."""
    (trusted.running.folder / "issuer").mkdir(exist_ok=True)
    (trusted.running.folder / "issuer" / "claims.json").write_text(json.dumps({"job_workflow_ref": REUSABLE_WORKFLOW}))
    trusted.publishers(testpypi=PUBLISHER | {"pending": True}, pypi=PUBLISHER | {"pending": True})
    code, output = trusted.release()
    assert (code, trusted.did()) == (5, [("testpypi", "invalid-publisher")])
    warned, _, refused = output.partition("testpypi has no trusted publisher that matches this job")
    assert "this job runs in a reusable workflow" in warned.partition("building")[0]
    assert "this job runs in a reusable workflow" in refused
