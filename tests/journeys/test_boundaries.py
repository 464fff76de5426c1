"""A machine is lost between two stages; another one finishes the release, or stops and changes nothing."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.journeys.test_images import NAME, digest, project, start_image_release
from tests.support.engines import TestEngine, engine, tiny_image  # noqa: F401 - fixtures
from tests.support.git_repos import Repo
from tests.support.local_release import LocalRelease, digests_in, vouching
from tests.support.snapshots import surfaces

from unmoor.util.values import replace

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

STAGES = (
    *("dists", "prove-dists", "images", "prove-images"),
    *("draft", "registry", "testpypi", "prove-testpypi"),
    *("pypi", "image-tags", "undraft"),
)
"""The boundaries, each after a stage, in the order of a release."""
CHAOS = bool(os.environ.get("CHAOS"))
"""`make chaos` tries every boundary, the usual run of the tests each kind once."""
VOUCHED = STAGES if CHAOS else ("prove-images", "registry")
SIGNED = STAGES[STAGES.index("registry") :] if CHAOS else ("registry",)
UNVOUCHED = STAGES[STAGES.index("draft") :] if CHAOS else ("draft", "pypi")


@dataclass(frozen=True)
class Machine:
    """A checkout, an account and the images of an engine. One that does not sign believes no signature either."""

    place: LocalRelease
    engine: TestEngine
    signs: bool = True

    def release(self, *args: str) -> subprocess.CompletedProcess[str]:
        """Release v1.0 from this machine."""
        options = ("--world", str(self.place.world_file), *args)
        off = {} if self.signs else {"UNMOOR_ATTESTATIONS": "off"}
        return self.place.unmoor("release", *options, "v1.0", env={**self.engine.environ, **off})

    def lose(self) -> None:
        """Remove the images in the engine, which only this machine had. Its checkout and account are not used again."""
        names = self.engine.docker("images", "--format", "{{.Repository}}:{{.Tag}}").split()
        commit = self.place.repo.git("rev-parse", "v1.0")[:12]
        mine = [name for name in names if name.startswith(f"unmoor.local/ghcr.io/{NAME}:sha-{commit}")]
        if mine:
            self.engine.docker("rmi", "--force", *mine)


@contextmanager
def machines(
    folder: Path,
    engine: TestEngine,  # noqa: F811 - the fixture
    base: str,
    *,
    signs: bool = True,
) -> Iterator[Iterator[Machine]]:
    """Start a world, and yield as many machines as a test wants."""
    with start_image_release(folder, project(folder / "small", base, varies=True)) as place:

        def one_after_the_other() -> Iterator[Machine]:
            for number in range(9):
                clone = folder / f"machine-{number}"
                place.repo.git("clone", "--quiet", str(place.repo.path), str(clone))
                yield Machine(replace(place, repo=Repo(clone), state=folder / f"state-{number}"), engine, signs)

        yield one_after_the_other()


def lost_after(stage: str, machine: Machine) -> str:
    """Release up to a boundary and lose the machine. Returns what the run printed."""
    wanted = [option for name in STAGES[: STAGES.index(stage) + 1] for option in ("--until", name)]
    ran = machine.release(*wanted)
    assert ran.returncode == 0, ran.stderr
    machine.lose()
    return ran.stderr


def check_complete(machine: Machine) -> None:
    """Every surface holds the release, each file was stored once on each index, and all tags are one digest."""
    status = machine.place.status()
    assert status.returncode == 0, status.stdout + status.stderr
    stored = machine.place.stored()
    assert len(stored) == len(set(stored)) == 4
    assert digest(machine.place, "v1.0") == digest(machine.place, "latest") != ""


@pytest.mark.parametrize("stage", VOUCHED)
def test_with_the_printed_digests_another_machine_finishes(
    tmp_path: Path,
    engine: TestEngine,  # noqa: F811 - the fixture
    tiny_image: str,  # noqa: F811 - the fixture
    stage: str,
) -> None:
    """The digests of a draft continue with its bytes; what was only on the lost machine is built again."""
    with machines(tmp_path, engine, tiny_image) as others:
        first = next(others)
        printed = lost_after(stage, first)
        drafted = STAGES.index(stage) >= STAGES.index("draft")
        second = next(others)
        ran = second.release(*(vouching(printed) if drafted else ()))
        assert ran.returncode == 0, ran.stderr
        assert ("building the sdist" in ran.stderr) is not drafted
        assert digests_in(ran.stderr)["manifest.json"] == digests_in(printed).get("manifest.json", "") or not drafted
        check_complete(second)
        second.lose()


@pytest.mark.parametrize("stage", SIGNED)
def test_with_signatures_another_machine_finishes(
    tmp_path: Path,
    engine: TestEngine,  # noqa: F811 - the fixture
    tiny_image: str,  # noqa: F811 - the fixture
    stage: str,
) -> None:
    """The manifest and the record of the images are signed, so no digest is needed and nothing is built again."""
    with machines(tmp_path, engine, tiny_image) as others:
        printed = lost_after(stage, next(others))
        second = next(others)
        ran = second.release()
        assert ran.returncode == 0, ran.stderr
        assert "building" not in ran.stderr
        assert "vouche" not in ran.stderr
        assert digests_in(ran.stderr) == digests_in(printed)
        check_complete(second)
        second.lose()


@pytest.mark.parametrize("stage", UNVOUCHED)
def test_without_them_it_finishes_or_changes_nothing(
    tmp_path: Path,
    engine: TestEngine,  # noqa: F811 - the fixture
    tiny_image: str,  # noqa: F811 - the fixture
    stage: str,
) -> None:
    """Each build of the project writes another sdist, and the same images from the engine's cache.

    So a draft is replaced as long as no index holds the first sdist; from then on the run stops with exit code 9.
    Nothing is signed, since a signature would be as good as the digests.
    """
    with machines(tmp_path, engine, tiny_image, signs=False) as others:
        printed = lost_after(stage, next(others))
        second = next(others)
        before = surfaces(second.place.world)
        ran = second.release()
        second.lose()
        if stage in {"draft", "registry"}:
            assert ran.returncode == 0, ran.stderr
            check_complete(second)
            return
        if stage == "undraft":
            # Everything is public: it is found, and nothing is sent.
            assert ran.returncode == 0, ran.stderr
            assert "not vouched for" in ran.stderr
        else:
            assert ran.returncode == 9, ran.stderr
            assert "--manifest-sha256 HEX" in ran.stderr
        assert surfaces(second.place.world) == before
        third = next(others)
        finished = third.release(*vouching(printed))
        assert finished.returncode == 0, finished.stderr
        assert "building the sdist" not in finished.stderr
        check_complete(third)
        third.lose()
