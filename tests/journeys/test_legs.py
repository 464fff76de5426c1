"""Platforms built on different machines become one index over the same images."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.journeys.test_images import NAME, blobs, digest, project, release, start_image_release
from tests.support.engines import TestEngine, engine  # noqa: F401 - the fixture
from tests.support.git_repos import Repo
from tests.support.local_release import LocalRelease, digests_in, vouching

from unmoor.artifacts.run_dir import IMAGES as RECORD
from unmoor.errors import Refused

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

PLATFORMS = ("linux/amd64", "linux/386")
SUFFIXES = ("", "-dev")


def leg(
    place: LocalRelease,
    platform: str,
    engine: TestEngine,  # noqa: F811 - the fixture
    into: Path,
    packages: str,
) -> tuple[Path, str]:
    """Build one platform on another machine; the engine loses the images.

    Returns the folder for the job that joins them, and what the run printed. ``packages`` is what the run printed that
    built the files.
    """
    clone = into.with_name(f"{into.name}-clone")
    place.repo.git("clone", "--quiet", str(place.repo.path), str(clone))
    built = place.repo.path / ".unmoor" / "v1.0"
    ran = release(
        LocalRelease(repo=Repo(clone), world=place.world, state=into.with_name(f"{into.name}-state")),
        "v1.0",
        engine,
        *("--dry-run", "--until", "prove-images", "--platform", platform, "--keep-images"),
        *("--dists", str(built / "dists"), "--manifest", str(built / "manifest.json"), *vouching(packages)),
    )
    assert ran.returncode == 0, ran.stderr
    shutil.copytree(clone / ".unmoor" / "v1.0", into)
    commit = place.repo.git("rev-parse", "v1.0")[:12]
    for suffix in SUFFIXES:
        name = f"unmoor.local/ghcr.io/{NAME}:sha-{commit}{suffix}-{platform.replace('/', '-')}"
        engine.docker("rmi", "--force", name)
    return into, ran.stderr


def index(place: LocalRelease, tag: str) -> dict[str, str]:
    """The digest of each platform under a tag, as skopeo reads it."""
    host = next(line for line in place.world_file.read_text().splitlines() if line.startswith("address")).split('"')[1]
    reference = f"docker://{host.removeprefix('http://')}/{NAME}:{tag}"
    command = [shutil.which("skopeo") or "skopeo", "inspect", "--raw", "--tls-verify=false", "--no-creds", reference]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return {
        f"{each['platform']['os']}/{each['platform']['architecture']}": each["digest"]
        for each in json.loads(ran.stdout)["manifests"]
    }


def test_legs_of_two_machines_become_one_release(tmp_path: Path, engine: TestEngine) -> None:  # noqa: F811 - the fixture
    """The images of each machine are pushed as they are; one leg alone gives no release and no tag."""
    repo = project(tmp_path / "small", "scratch", platforms=", ".join(f'"{each}"' for each in PLATFORMS))
    with start_image_release(tmp_path, repo) as place:
        packages = release(place, "v1.0", None, "--dry-run", "--until", "prove-dists", "--until", "check-dists")
        assert packages.returncode == 0, packages.stderr
        (one, first), (other, second) = (
            leg(place, platform, engine, tmp_path / platform.replace("/", "-"), packages.stderr)
            for platform in PLATFORMS
        )

        # The machine that joins them cannot build the other platform.
        unvouched = release(place, "v1.0", None, "--leg", str(one))
        assert unvouched.returncode == Refused.exit_code, unvouched.stderr
        alone = release(place, "v1.0", None, "--leg", str(one), *vouching(first))
        assert alone.returncode == 13, alone.stderr
        assert blobs(place) == []
        assert digest(place, "v1.0") == digest(place, "latest") == ""
        assert "pypi" not in {name for name, _ in place.stored()}

        joined = release(place, "v1.0", engine, "--leg", str(one), "--leg", str(other), *vouching(second, first))
        assert joined.returncode == 0, joined.stderr
        assert "building with" not in joined.stderr
        for suffix in SUFFIXES:
            assert set(index(place, f"v1.0{suffix}")) == set(PLATFORMS)
        assert digest(place, "v1.0") == digest(place, "latest")
        whole = json.loads((repo.path / ".unmoor" / "v1.0" / RECORD).read_text())
        recorded = [json.loads((each / RECORD).read_text())["images"] for each in (one, other)]
        built = {image["id"] for images in recorded for image in images}
        assert {image["id"] for image in whole["images"]} == built
        assert whole["manifest"] == digests_in(packages.stderr)["manifest.json"]
        (proof,) = whole["proofs"]
        assert {f"sha256:{subject['sha256']}" for subject in proof["subjects"]} == built
        again = release(place, "v1.0", engine, "--leg", str(one), "--leg", str(other), *vouching(first, second))
        assert again.returncode == 0, again.stderr
        # A rehearsal takes the same folders, and builds nothing either.
        folders = ("--dists", str(repo.path / ".unmoor" / "v1.0"), "--leg", str(one), "--leg", str(other))
        rehearsed = place.unmoor("rehearse", *folders, *vouching(first, second), "v1.0", env=dict(engine.environ))
        assert rehearsed.returncode == 0, rehearsed.stderr
        assert "building" not in rehearsed.stderr
