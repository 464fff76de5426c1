"""A release whose world is gone in the middle ends by itself, in bounded time, and says how to go on."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.support.local_release import UNMOOR, LocalRelease, small_repo

from unmoor.rehearsal import local
from unmoor.rehearsal.faults import control

assert sys.platform == "linux"  # as with every kill

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

PATIENCE = 10.0
SOON = 120.0
"""Seconds for the rest of a run. It takes some 15 on an idle machine; without a limit it would wait for 900."""


def test_no_run_waits_for_a_world_that_is_gone(tmp_path: Path) -> None:
    """The servers are killed while a file is on its way; the run ends, names what is missing, and how to go on."""
    repo = small_repo(tmp_path / "small")
    with (
        local.Beginning(tmp_path / "world") as beginning,
        beginning.serve(repository="acme/small", checkout=repo.path, patience=PATIENCE) as world,
    ):
        place = LocalRelease(repo=repo, world=world.folder)
        control.inject(world.folder, "silent@testpypi:POST /legacy/#1")
        with subprocess.Popen(
            [str(UNMOOR), "release", "--world", str(world.world_file), "v1.0"],
            cwd=repo.path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as running:
            while not control.met(world.folder):
                assert running.poll() is None, running.stdout and running.stdout.read()
                time.sleep(0.05)
            world.process.kill()
            killed = time.monotonic()
            said, _ = running.communicate(timeout=SOON)
        assert time.monotonic() - killed < SOON
        assert running.returncode == 10, said
        assert "testpypi failed" in said
        assert "not reached: " in said
        assert "Traceback" not in said
        assert any(line.startswith(("next:", "then:")) for line in said.splitlines()), said
        assert place.stored() == []
