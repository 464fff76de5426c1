"""`unmoor rehearse --chaos` on a small project: rounds that hold, a bug that a seed finds, and its replay."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.support.git_repos import Repo
from tests.support.local_release import UNMOOR, small_repo

from unmoor.filesystem.locks import exclusive_lock

assert sys.platform == "linux"  # runs are killed by signals

pytestmark = [pytest.mark.journey, pytest.mark.timeout(3000 if os.environ.get("CHAOS") else 900)]

ROUNDS = 250 if os.environ.get("CHAOS") else 4
"""`make chaos` plays many rounds, the usual run of the tests a sample of the same seed."""

# Python runs it at the start of every process. A release then believes in each run that there is no draft yet.
PLANTED = """
import sys

if any("chaos_child" in word for word in sys.orig_argv):
    from unmoor.stages.draft import MakeDraft

    def create_blindly(self, bundle, context):
        release, text = context[self.release], self._text(context, bundle.documents, None)
        return self.forge.draft(
            tag=release.tag,
            target=release.commit,
            name=release.tag,
            body=text.notes.body,
            prerelease=release.prerelease,
        )

    MakeDraft.find = lambda self, context: None
    MakeDraft._find_or_create = create_blindly
"""


def chaos(repo: Repo, *args: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run chaos in a repository. ``path`` is a folder that Python imports from first."""
    return subprocess.run(
        [str(UNMOOR), "rehearse", "--chaos", *args],
        cwd=repo.path,
        capture_output=True,
        text=True,
        timeout=2900,
        check=False,
        env={**os.environ, **({"PYTHONPATH": str(path)} if path else {})},
    )


def left(repo: Repo) -> set[str]:
    """What chaos left in its folder."""
    return {path.name for path in (repo.path / ".unmoor/chaos").iterdir()}


def test_rounds_of_a_seed_hold(tmp_path: Path) -> None:
    """Every invariant holds, most faults are met, and neither a folder nor a change of the checkout stays."""
    repo = small_repo(tmp_path / "small")
    ran = chaos(repo, "--seed", "17", "--rounds", str(ROUNDS), "--json")
    assert ran.returncode == 0, ran.stderr
    result: dict[str, Any] = json.loads(ran.stdout)
    assert [each["number"] for each in result["rounds"]] == list(range(1, ROUNDS + 1))
    assert set(result["invariants"].values()) == {0}
    assert sum(each["met"] > 0 for each in result["faults"]) > len(result["faults"]) / 2
    assert ran.stderr.count("\nround ") == ROUNDS
    assert left(repo) == {"base", "run.lock"}
    assert repo.git("status", "--porcelain") == ""


def test_a_seed_finds_a_planted_bug_and_its_replay_shows_it(tmp_path: Path) -> None:
    """The bug needs a kill at the right moment. The printed command shows it again, and is fine without the bug."""
    repo, planted = small_repo(tmp_path / "small"), tmp_path / "planted"
    planted.mkdir()
    (planted / "sitecustomize.py").write_text(PLANTED, encoding="utf-8")
    found = chaos(repo, "--seed", "7", "--rounds", "3", "--fault", "KILL", path=planted)
    assert found.returncode == 19, found.stderr
    assert "I4: there are 2, not 1 (release page of v1.0)" in found.stderr
    (command, *_) = (line.partition("  ")[2] for line in found.stderr.splitlines() if line.startswith("play it again:"))
    assert any(name.startswith("round-") for name in left(repo))
    replay = shlex.split(command)[3:]
    assert shlex.split(command)[:3] == ["unmoor", "rehearse", "--chaos"]
    again = chaos(repo, *replay, path=planted)
    assert again.returncode == 19, again.stderr
    assert "I4: there are 2, not 1 (release page of v1.0)" in again.stderr
    without = chaos(repo, *replay)
    assert without.returncode == 0, without.stderr


def test_a_project_that_fails_by_itself_is_not_blamed_on_chaos(tmp_path: Path) -> None:
    """Its tests fail before the first round, with the exit code of a rehearsal and no word of a fault."""
    repo = small_repo(tmp_path / "small", **{"tests/check.py": "raise SystemExit('the tests do not pass')\n"})
    repo.git("tag", "--force", "v1.0")
    ran = chaos(repo)
    assert ran.returncode == 8, ran.stderr
    assert "this was without any fault" in ran.stderr
    assert "\nround " not in ran.stderr


def test_ctrl_c_ends_the_rounds(tmp_path: Path) -> None:
    """The table of the rounds so far is printed, the exit code is that of an interrupt, and no server is left."""
    repo = small_repo(tmp_path / "small")
    with subprocess.Popen(
        [str(UNMOOR), "rehearse", "--chaos", "--seed", "3", "--rounds", "500"],
        cwd=repo.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert next(line for line in running.stderr if line.startswith("round 1/500: "))
        running.send_signal(signal.SIGINT)
        said, warned = running.stdout.read(), running.stderr.read()
        assert running.wait(60) == 130, warned
    assert re.search(r"^rounds +[1-9]", said, re.MULTILINE), said
    assert "chaos was stopped" in warned
    assert "Traceback" not in warned
    # Each world holds a lock for as long as its servers run.
    for folder in (repo.path / ".unmoor/chaos").iterdir():
        if (folder / "lock").exists():
            with exclusive_lock(folder, name="lock"):
                pass
