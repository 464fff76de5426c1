"""Two concurrent releases of one tag give one release, and both runs can be finished."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.support.git_repos import Repo
from tests.support.killed_releases import KilledRelease, start_killed_releases
from tests.support.systems import linux

from unmoor.errors import Conflict, Refused
from unmoor.util.values import replace

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300), linux]  # what a run leaves is looked for in /proc

TRIES = 4


def together(one: KilledRelease, other: KilledRelease) -> tuple[int, int]:
    """Run both at once and return the exit codes."""
    running = one.start(), other.start()
    first, second = (each.wait(60) for each in running)
    return first, second


def ended(release: KilledRelease, code: int) -> None:
    """Follow the last advice of a run until it succeeds."""
    for _ in range(TRIES):
        if code == 0:
            return
        assert code in {Refused.exit_code, Conflict.exit_code}, release.output()
        if code == Conflict.exit_code:
            removal = f"to continue with those, remove the run folder: rm -r {release.folder}"
            assert f"{removal}, then run the same command again" in release.output()
            shutil.rmtree(release.folder)
        else:
            assert "another run" in release.output()
        code = release.finish()
    raise AssertionError(release.output())


def test_in_one_checkout_one_of_them_is_busy(tmp_path: Path) -> None:
    """The second run reports the first one's process id, or starts late enough to find everything done."""
    with start_killed_releases(tmp_path, 1) as (one,):
        other = replace(one, tmpdir=tmp_path / "other-aside")
        first, second = together(one, other)
        assert 0 in {first, second}, one.output() + other.output()
        ended(one, first)
        ended(other, second)
        one.check_surfaces()


def test_in_two_checkouts_one_build_wins(tmp_path: Path) -> None:
    """Each builds other bytes of the commit; one build is released, once, and the other run uses its files."""
    with start_killed_releases(tmp_path, 3) as each:
        shutil.copytree(each[0].repo.path, tmp_path / "elsewhere")
        for one in each:
            other = replace(one, repo=Repo(tmp_path / "elsewhere"), tmpdir=tmp_path / f"elsewhere-{one.version}")
            first, second = together(one, other)
            one.note_draft_digests()
            ended(one, first)
            ended(other, second)
            one.check_surfaces()
            other.check_surfaces()
