"""What the release workflow signed is continued on any machine; what anybody else signed is not."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.journeys.test_planted import Target, drafted, plant_files, published
from tests.support.git_repos import Repo
from tests.support.local_release import LocalRelease, small_repo, start_release, vouching
from tests.support.signers import SigningJob

from unmoor.artifacts import manifest as manifests
from unmoor.ports.signer import MAX_BUNDLE
from unmoor.products.signatures import BY_HAND
from unmoor.util.values import replace

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

WORKFLOW = ".github/workflows/release.yml"
TEXT = """\
on: {push: {tags: ['v*']}}
jobs:
  publish:
    permissions: {contents: write, id-token: write}
    steps: [{run: unmoor release}]
"""
# Another build of the same commit has other bytes.
OTHER_BYTES = {"UNMOOR_NORMALIZE_SDIST": "false"}


@contextmanager
def signing_release(folder: Path) -> Iterator[LocalRelease]:
    """A world, and the machine of a job in it, for a project with a release workflow."""
    repo = small_repo(folder / "small", **{WORKFLOW: TEXT})
    with start_release(folder, repo) as place:
        yield replace(place, state=folder / "job")


def laptop(place: LocalRelease, folder: Path) -> tuple[LocalRelease, Path]:
    """A fresh machine without an identity: a new clone, nothing that it remembers, and its world file."""
    folder.mkdir()
    clone = folder / "small"
    place.repo.git("clone", "--quiet", str(place.repo.path), str(clone))
    world_file = folder / "world.toml"
    head, found, tail = place.world_file.read_text().partition("[signing]")
    assert found
    world_file.write_text(head + found + re.sub(r'^token = ".*"$', 'token = ""', tail, count=1, flags=re.MULTILINE))
    world_file.chmod(0o600)
    return LocalRelease(repo=Repo(clone), world=place.world, state=folder / "state"), world_file


def entries(place: LocalRelease) -> int:
    """How many entries the log has got."""
    return sum(each["path"] == "/api/v1/log/entries" for each in place.requests())


def test_a_signed_draft_is_continued_anywhere(tmp_path: Path) -> None:
    """The job died after its draft. A laptop with no memory of it finishes the release with the very same bytes."""
    with signing_release(tmp_path) as place:
        held = place.release("--hold", "--until", "draft")
        assert held.returncode == 0, held.stderr
        built = {path.name: path.read_bytes() for path in (place.repo.path / ".unmoor" / "v1.0" / "dists").iterdir()}
        made = entries(place)
        other, world_file = laptop(place, tmp_path / "laptop")
        ran = other.unmoor("release", "--world", str(world_file), "v1.0", env=OTHER_BYTES)
        assert ran.returncode == 0, ran.stderr
        assert "building the sdist" not in ran.stderr
        assert "vouche" not in ran.stderr
        taken = {path.name: path.read_bytes() for path in (other.repo.path / ".unmoor" / "v1.0" / "dists").iterdir()}
        assert taken == built
        assert entries(place) == made
        # What was signed stays on the release, and only the last line speaks of signatures.
        assert "verified by digest; this run signed nothing: " in ran.stderr.splitlines()[-2]
        manifest = (other.repo.path / ".unmoor" / "v1.0" / manifests.NAME).read_text()
        assert BY_HAND not in manifest
        third, world_file = laptop(place, tmp_path / "third")
        status = third.unmoor("status", "--world", str(world_file), "v1.0", "--json")
        assert status.returncode == 0, status.stderr
        assert json.loads(status.stdout)["vouched"] is True
        assert "vouched" not in status.stderr
        # With signatures switched off, the rule is that of digests alone.
        unsigned = third.unmoor(
            "status", "--world", str(world_file), "v1.0", "--json", env={"UNMOOR_ATTESTATIONS": "off"}
        )
        assert json.loads(unsigned.stdout)["vouched"] is False
        assert "is not vouched for\n" in unsigned.stderr


def test_a_release_by_hand_says_so(tmp_path: Path) -> None:
    """Without an identity the release ends unsigned: the manifest says it, the run and ``status`` too."""
    with signing_release(tmp_path) as place:
        other, world_file = laptop(place, tmp_path / "laptop")
        held = other.unmoor("release", "--world", str(world_file), "--hold", "--until", "draft", "v1.0")
        assert held.returncode == 0, held.stderr
        assert f"\n{BY_HAND}\n" in held.stderr
        # A job with an identity that is told to continue with it signs nothing.
        ran = place.release(*vouching(held.stderr))
        assert ran.returncode == 0, ran.stderr
        assert f"verified by digest; {BY_HAND}\n" in ran.stderr
        assert entries(place) == 0
        status = place.status("--json")
        assert status.returncode == 0, status.stderr
        assert json.loads(status.stdout)["unsigned"] is True
        assert f"v1.0 is complete; {BY_HAND}\n" in status.stderr


def test_a_signed_folder_counts(tmp_path: Path) -> None:
    """A run folder of another machine counts if it is handed over, and also if it simply is there."""
    with signing_release(tmp_path) as place:
        held = place.release("--hold", "--until", "sign")
        assert held.returncode == 0, held.stderr
        run = place.repo.path / ".unmoor" / "v1.0"
        other, world_file = laptop(place, tmp_path / "laptop")
        build = ("release", "--dry-run", "--until", "dists", "--world", str(world_file), "v1.0")
        for options in ((), ("--dists", str(run))):
            here = other.repo.path / ".unmoor" / "v1.0"
            shutil.rmtree(here, ignore_errors=True)
            if not options:
                shutil.copytree(run, here)
            shutil.rmtree(tmp_path / "laptop" / "state", ignore_errors=True)
            ran = other.unmoor(*build, *options, env=OTHER_BYTES)
            assert ran.returncode == 0, ran.stderr
            assert "building the sdist" not in ran.stderr
            assert "vouche" not in ran.stderr
        (run / "signatures" / "manifest.json.sigstore.json").write_bytes(b"x" * (MAX_BUNDLE + 1))
        shutil.rmtree(other.repo.path / ".unmoor")
        shutil.rmtree(tmp_path / "laptop" / "state")
        ran = other.unmoor(*build, "--dists", str(run))
        assert ran.returncode == 4, ran.stderr
        assert "its signature does not count: the signature cannot be read: it has " in ran.stderr


def sign(place: LocalRelease, data: bytes, claims: Mapping[str, Any]) -> bytes:
    """Sign as a run of the release workflow for the tag, with some of its claims changed."""
    job = SigningJob(world=cast("Any", SimpleNamespace(world_file=place.world_file, folder=place.world)))
    with job.claims(**claims):
        return job.sigstore().signer.sign_file(sha256(data).hexdigest())


@pytest.mark.parametrize("where", ["draft", "public"])
def test_a_planted_signature_changes_nothing(tmp_path: Path, where: str) -> None:
    """A planted manifest that another workflow of the repository signed is refused as one without a signature."""
    with signing_release(tmp_path) as place:
        plant = tmp_path / "plant"
        plant_files(place, plant)
        name = f"{manifests.NAME}.sigstore.json"
        workflow = "acme/small/.github/workflows/label.yml@refs/tags/v1.0"
        bundle = sign(place, (plant / manifests.NAME).read_bytes(), {"job_workflow_ref": workflow})
        (plant / name).write_bytes(bundle)
        target = Target(place, plant)
        (drafted if where == "draft" else published)(target, name)
        other, world_file = laptop(place, tmp_path / "laptop")
        ran = other.unmoor("release", "--world", str(world_file), "v1.0")
        assert ran.returncode == (0 if where == "draft" else 9), ran.stderr
        assert "the workflow is .github/workflows/label.yml, expected .github/workflows/release.yml" in ran.stderr
        assert not Target(other, plant).took
