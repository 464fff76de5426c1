"""``unmoor verify-rebuild`` builds a published release again, for anyone: in a checkout, or with nothing at hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support import sample_projects
from tests.support.local_release import LocalRelease, small_repo, start_release

pytestmark = pytest.mark.journey  # whole releases

CLOCK = "    import time\n    files['small_one/built.txt'] = str(time.time_ns())\n    record = "


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRelease]:
    """A release of a project whose wheel depends on the time, while its sdist does not."""
    folder = tmp_path_factory.mktemp("released")
    own = sample_projects.BACKEND.replace("    record = ", CLOCK)
    with start_release(folder, small_repo(folder / "small", **{"own.py": own})) as running:
        ran = running.release()
        assert ran.returncode == 0, ran.stderr
        assert "small_one-1.0-py3-none-any.whl: a second build gives other bytes" in ran.stderr
        yield running


def test_a_file_that_differs(place: LocalRelease) -> None:
    """Each file has its answer; the member that differs is shown; nothing in the checkout changes."""
    before = place.repo.state()
    ran = place.unmoor("verify-rebuild", "--world", str(place.world_file), "v1.0")
    assert ran.returncode == 8, ran.stderr
    states = dict(line.split()[1::-1] for line in ran.stdout.splitlines() if line.startswith(("same", "different")))
    assert states == {"small_one-1.0-py3-none-any.whl": "different", "small_one-1.0.tar.gz": "same"}
    assert "small_one/built.txt: another text" in ran.stdout
    assert place.repo.state() == before


def test_with_nothing_at_hand(place: LocalRelease, tmp_path: Path) -> None:
    """OWNER/NAME@TAG needs no checkout; a tag without a release, or that is nowhere, is an error that says so."""
    stranger = LocalRelease(repo=place.repo, world=place.world, state=tmp_path / "state")
    (tmp_path / "empty").mkdir()
    world = ("--directory", str(tmp_path / "empty"), "--world", str(place.world_file))
    ran = stranger.unmoor("verify-rebuild", *world, "--json", "acme/small@v1.0")
    assert ran.returncode == 8, ran.stderr
    document = json.loads(ran.stdout)
    assert document["commit"] == place.repo.git("rev-parse", "v1.0^{commit}")
    assert [file["state"] for file in document["files"]] == ["different", "same"]
    place.repo.git("tag", "v0.9")
    unreleased = place.unmoor("verify-rebuild", "--world", str(place.world_file), "v0.9")
    assert (unreleased.returncode, "no public release of v0.9" in unreleased.stderr) == (12, True)
    absent = stranger.unmoor("verify-rebuild", *world, "acme/small@v9.9")
    assert (absent.returncode, "there is no tag v9.9" in absent.stderr) == (4, True)
    nowhere = stranger.unmoor("verify-rebuild", *world[:2], "--world", str(tmp_path / "none.toml"), "acme/small@v1.0")
    assert nowhere.returncode == 3
