"""What `undo` leaves can be finished on another machine, and what it takes back can be released again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.support.local_release import LocalRelease, digests_in, small_repo, start_release

from unmoor.adapters.factory import create_services
from unmoor.adapters.process.supervisor import Processes
from unmoor.artifacts.files import describe_file
from unmoor.config.worlds import read_world
from unmoor.ports.index import Sent

pytestmark = pytest.mark.journey

WHEEL = "small_one-1.0-py3-none-any.whl"


def undo(place: LocalRelease) -> tuple[int, str]:
    """Undo the release, and return the exit code and what was printed on stdout."""
    ran = place.unmoor("undo", "--apply", "--world", str(place.world_file), "v1.0")
    return ran.returncode, ran.stdout


def another_machine(place: LocalRelease, folder: Path) -> LocalRelease:
    """The same project on a machine that knows nothing of the release."""
    return LocalRelease(repo=small_repo(folder / "small"), world=place.world, state=folder / "state")


def test_what_undo_keeps_is_enough_to_finish(tmp_path: Path) -> None:
    """The index holds one of two files, and no build gives the other one again; the draft that undo kept has it."""
    with start_release(tmp_path) as place:
        held = place.release("--hold")
        assert held.returncode == 0, held.stderr
        with Processes() as processes:
            services = create_services(read_world(place.world_file, os.environ), place.repo.path, processes)
            file = describe_file(place.repo.path / ".unmoor" / "v1.0" / "dists" / WHEEL)
            assert isinstance(services.index.send(file), Sent)
        code, out = undo(place)
        assert code == 12
        assert "draft: stays, so that the release can be finished" in out
        elsewhere = another_machine(place, tmp_path / "elsewhere")
        assert undo(elsewhere) == (code, out)
        rest = elsewhere.release("--manifest-sha256", digests_in(held.stderr)["manifest.json"])
        assert rest.returncode == 0, rest.stderr
        assert "building" not in rest.stderr
        assert elsewhere.status().returncode == 0
        assert len(place.stored()) == 4


def test_what_undo_takes_back_can_be_released_again(tmp_path: Path) -> None:
    """A new build has other bytes, and the staging index keeps its names: without it the release succeeds."""
    with start_release(tmp_path) as place:
        held = place.release("--hold")
        assert held.returncode == 0, held.stderr
        code, out = undo(place)
        assert code == 0
        assert "draft: deleted: " in out
        assert "--skip testpypi" in out
        elsewhere = another_machine(place, tmp_path / "elsewhere")
        again = elsewhere.release("--skip", "testpypi")
        assert again.returncode == 0, again.stderr
        assert sorted(index for index, _ in place.stored()) == ["pypi", "pypi", "testpypi", "testpypi"]
