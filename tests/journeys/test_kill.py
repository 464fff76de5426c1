"""A release that is killed at any moment is finished by the same command: each file once, with the same bytes."""

from __future__ import annotations

import os
import signal
import sys
from functools import partial
from pathlib import Path

import pytest
from tests.support.killed_releases import KilledRelease, start_killed_releases

assert sys.platform == "linux"  # runs are killed where /proc shows what they leave

pytestmark = [pytest.mark.journey, pytest.mark.timeout(500)]

# More than the journal of a whole release has: the surplus runs are never killed, and are not begun.
LINES = 42
WRITES = 28
# Each kill costs two releases, so the usual run of the tests tries a sample. `make chaos` tries all.
CHAOS = bool(os.environ.get("CHAOS"))
TRIED_LINES = range(1, LINES + 1) if CHAOS else range(2, LINES + 1, 6)
TRIED_WRITES = range(1, WRITES + 1) if CHAOS else range(2, WRITES + 1, 7)
STOPPED = ("dists", "prove-dists", "testpypi", "prove-testpypi")
"""The stages in which a signal stops a run."""


def killed_and_finished(release: KilledRelease, lines: int) -> bool:
    """Kill a run after a number of journal lines, then run it again to its end. Returns whether it was killed."""
    code = release.kill_after_lines(lines)
    assert not release.left_running()
    if code == 0:
        return False
    assert (code, release.journal().count("\n")) == (-signal.SIGKILL, lines), release.output()
    release.note_draft_digests()
    assert release.finish() == 0, release.output()
    assert not (release.draft_digests and "building" in release.output())
    return True


def test_kill_at_every_line_of_the_journal(tmp_path: Path) -> None:
    """Wherever a run is killed, the next run of the same command completes the release."""
    # One after the other: a higher version that is published meanwhile takes "latest", rightly.
    with start_killed_releases(tmp_path, len(TRIED_LINES)) as each:
        killed = [killed_and_finished(release, lines) for lines, release in zip(TRIED_LINES, each, strict=True)]
        assert not killed[-1], "the journal has more lines than are tried"
        assert sum(killed) > len(TRIED_LINES) * 0.6
        for release in each:
            release.check_surfaces()


def killed_at_write(release: KilledRelease, count: int) -> int:
    """Kill a run once the world has answered a number of its writing requests. Returns the exit code."""
    wanted = release.world.writes() + count
    return release.signal_when(lambda: release.world.writes() >= wanted)


def test_kill_at_every_write(tmp_path: Path) -> None:
    """Whether or not the last answer arrived, the next run completes the release."""
    with start_killed_releases(tmp_path, len(TRIED_WRITES)) as each:
        killed = 0
        for count, release in zip(TRIED_WRITES, each, strict=True):
            code = killed_at_write(release, count)
            assert not release.left_running()
            assert code in {0, -signal.SIGKILL}
            killed += code != 0
            release.note_draft_digests()
            assert release.finish() == 0, release.output()
            assert not (release.draft_digests and "building" in release.output())
            release.check_surfaces()
        assert killed > len(TRIED_WRITES) * 0.6


SIGNALS = [
    (number, stage)
    for number, stages in ((signal.SIGTERM, STOPPED), (signal.SIGINT, STOPPED if CHAOS else STOPPED[1:2]))
    for stage in stages
]


def test_a_signal_stops_a_run_cleanly(tmp_path: Path) -> None:
    """TERM and INT end a run with their code, a message and nothing left running; the same command finishes."""
    with start_killed_releases(tmp_path, len(SIGNALS)) as each:
        for (number, stage), release in zip(SIGNALS, each, strict=True):
            begins = f'"event":"begins","stage":"{stage}"'
            code = release.signal_when(partial(_has_begun, release, begins), number)
            assert code == 128 + number, release.output()
            assert not release.left_running()
            assert "stopped" in release.output()
            assert "run the same command again" in release.output()
            assert "Traceback" not in release.output()
            release.note_draft_digests()
            assert release.finish() == 0, release.output()
            release.check_surfaces()


def _has_begun(release: KilledRelease, begins: str) -> bool:
    return begins in release.journal()
