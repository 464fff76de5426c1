"""``unmoor bench compare`` on real commits: what it refuses before it measures, and what it measures."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support import sample_projects
from tests.support.git_repos import Repo
from tests.support.systems import posix

from unmoor.cli import app
from unmoor.metrics.compare.report import decode_report

TABLE = """
[tool.unmoor.bench]
measure = [{ name = "start", run = "small" }]
max-time = "3 min"
threshold = "20%"
"""
SCRIPT = '[project.scripts]\nsmall = "small_one:main"\n'
FAST = "def main():\n    return 0\n"
SLOW = "import time\ndef main():\n    kept = b'x' * 30_000_000\n    time.sleep(0.1)\n    return 0\n"


def repo_of(folder: Path, *, table: str = TABLE, head: str = FAST, **others: str) -> Repo:
    """A repository with a project on the default branch, and one commit on a topic branch."""
    files = sample_projects.files(more=SCRIPT + table, **others)
    repo = Repo.new(folder, files)
    repo.git("checkout", "--quiet", "-b", "topic")
    repo.commit({"src/small_one/__init__.py": head})
    return repo


def run(repo: Repo, capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    """Run the command; return its exit code and what it prints."""
    code = app.run(["bench", "compare", "--directory", str(repo.path), *args])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_what_is_refused_before_anything_is_built(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each has a message that says what is wrong and a next step, and no report is written."""
    repo = repo_of(tmp_path / "repo")
    report = tmp_path / "REPORT.json"
    bare = repo_of(tmp_path / "bare", table="")
    shallow = Repo(tmp_path / "shallow")
    repo.git("checkout", "--quiet", "main")
    subprocess.run(
        ["git", "clone", "--quiet", "--depth=1", "--branch=topic", repo.path.as_uri(), shallow.path],  # noqa: S607
        check=True,
    )
    repo.git("checkout", "--quiet", "topic")
    cases = [
        (repo, ("--against", "no-such-ref"), 4, "this checkout has no commit 'no-such-ref'", "--against REF"),
        (repo, ("--against", "HEAD"), 4, "HEAD is the commit to compare with", "--against REF"),
        (repo, ("--against", "--upload-pack=x"), 4, "this checkout has no commit", "--against REF"),
        (bare, (), 3, "there is no table [tool.unmoor.bench] in the settings of HEAD", "[tool.unmoor.bench]"),
        (shallow, (), 4, "the default branch is main, and this checkout does not have it", "fetch-depth: 0"),
        (shallow, ("--against", "main"), 4, "this checkout has no commit 'main'", "fetch-depth: 0"),
    ]
    for where, args, code, what, step in cases:
        got, out, err = run(where, capsys, "--report", str(report), *args)
        assert (got, out) == (code, ""), err
        assert what in err
        assert step in err
    assert run(repo, capsys, "--report", str(tmp_path / "none" / "REPORT.json"))[0] == 2
    assert not report.exists()


@pytest.mark.journey
@pytest.mark.parametrize(
    ("base", "head", "message"),
    [
        ("build-backend = 'none'", "", "the base, "),
        ("", "raise SystemExit('no')", "src/small_one"),
    ],
    ids=["base", "head"],
)
def test_a_side_that_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], base: str, head: str, message: str
) -> None:
    """A base that does not build leads to a later base; a head that crashes is a failed benchmark with its output."""
    repo = repo_of(tmp_path / "repo", **({"own.py": "raise SystemExit('no backend')\n"} if base else {}))
    repo.commit({"own.py": sample_projects.BACKEND, "src/small_one/__init__.py": head or FAST})
    report = tmp_path / "REPORT.json"
    code, _, err = run(repo, capsys, "--report", str(report))
    if base:
        assert code == 6
        assert message in err
        assert "compare with a commit that builds and installs here" in err
        assert not report.exists()
    else:
        assert code == 8
        assert "start: on the head: it failed with exit code 1" in err
        (row,) = decode_report(report.read_bytes(), where="").benchmarks
        assert (row.name, row.verdict) == ("start", "failed")


@pytest.mark.journey
def test_true_slow_downs_in_time_and_memory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They fail with exit code 18, in the table, the report and the JSON; what did not change does not."""
    repo = repo_of(tmp_path / "repo", head=SLOW)
    report = tmp_path / "REPORT.json"
    code, out, err = run(repo, capsys, "--report", str(report), "--json")
    assert code == 18, err
    assert json.loads(out) == json.loads(report.read_bytes())
    found = decode_report(report.read_bytes(), where="")
    rows = {each.name: each for each in found.benchmarks}
    assert [rows[f"start: {each}"].verdict for each in ("time", "peak memory")] == ["slower", "slower"]
    assert all(rows[f"start: {each}"].fresh >= 30 for each in ("time", "peak memory"))
    assert found.head.commit == repo.git("rev-parse", "HEAD")
    assert found.base.commit == repo.git("rev-parse", "main")
    assert "measuring again with the folders swapped" in err
    assert repo.git("status", "--porcelain") == ""


@posix
@pytest.mark.journey
def test_an_interrupt_leaves_nothing(tmp_path: Path) -> None:
    """Ctrl-C ends the measured programs, and neither a report nor temporary files stay."""
    repo = repo_of(tmp_path / "repo", head="import time\ndef main():\n    time.sleep(600)\n")
    report, temporary = tmp_path / "REPORT.json", tmp_path / "tmp"
    temporary.mkdir()
    command = [sys.executable, "-m", "unmoor", "bench", "compare", "--report", str(report)]
    with subprocess.Popen(
        command, cwd=repo.path, stderr=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(temporary)}
    ) as running:
        assert running.stderr is not None
        assert any("trying start on both sides" in line for line in running.stderr)
        running.send_signal(signal.SIGINT)
        assert "stopped" in running.stderr.read()
    assert running.returncode == 130
    assert not report.exists()
    assert [each for each in temporary.rglob("*") if each.is_file() and each.suffix not in {".lock", ""}] == []
