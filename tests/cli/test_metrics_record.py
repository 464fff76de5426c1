"""``unmoor metrics record``: figures from files, kept in a folder or on a branch."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.git_repos import Repo
from tests.support.local_forge import start_forge

from unmoor.cli import app

JUNIT = '<testsuite name="unit" timestamp="2026-11-29T12:00:00Z" time="2"><testcase/></testsuite>'
COVERAGE = '<coverage timestamp="1764000000000" lines-valid="10" lines-covered="9" line-rate="0.9"/>'
RELEASE = '{"kind":"release","id":1,"tag":"v1","at":"2026-01-01T00:00:00Z","prerelease":false}'


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    """A project that keeps its records in a folder, with two files to record."""
    settings = '[project]\nname = "demo"\nversion = "1"\n[tool.unmoor.metrics]\nstore = "folder:kept"\n'
    found = Repo.new(tmp_path / "project", {"pyproject.toml": settings})
    (found.path / "junit.xml").write_text(JUNIT)
    (found.path / "coverage.xml").write_text(COVERAGE)
    monkeypatch.chdir(found.path)
    for name in ("GITHUB_ACTIONS", "UNMOOR_WORLD"):
        monkeypatch.delenv(name, raising=False)
    return found


def record(*args: str) -> int:
    """Run the command."""
    return app.run(["metrics", "record", *args])


def test_files_are_kept_once(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """The first time the figures are new, the second time nothing changes; each line has the checked out commit."""
    assert record("junit.xml", "coverage.xml") == 0
    captured = capsys.readouterr()
    assert captured.out.split() == ["kind", "figures", "tests", "1", "coverage", "1"]
    assert "2 new and 0 changed added to" in captured.err
    kept = {path.name: path.read_text() for path in repo.path.glob("kept/*/*.jsonl")}
    assert set(kept) == {"2025-11.jsonl", "2026-11.jsonl"}
    assert all(json.loads(text)["commit"] == repo.git("rev-parse", "HEAD") for text in kept.values())
    assert record("junit.xml", "coverage.xml", "junit.xml", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["figures"] == {"tests": 1, "coverage": 1}
    assert (document["new"], document["changed"], document["same"]) == (0, 0, 2)


def test_a_dry_run_writes_nothing(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """It says what would be added."""
    assert record("junit.xml", "--dry-run") == 0
    assert "1 new and 0 changed would be added to" in capsys.readouterr().err
    assert not (repo.path / "kept").exists()


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (("junit.xml", "bad.xml", "pyproject.toml"), 4, ("since 2 files cannot be read", "bad.xml: it is not XML")),
        (("junit.xml", "other.xml"), 4, ("junit.xml and other.xml have different tests of unit",)),
        (("junit.xml", "--commit", "HEAD"), 4, ("'HEAD' is no full id", "--commit ID")),
        (("junit.xml", "--store", "kept"), 3, ("'kept' is no store",)),
        (("junit.xml", "--store", "branch:metrics"), 4, ("cannot determine which repository",)),
        (("missing.xml",), 2, ("does not exist",)),
        ((), 2, ("Missing argument",)),
    ],
    ids=["formats", "conflict", "commit", "store", "no-forge", "missing", "none"],
)
def test_a_mistake_writes_nothing(
    repo: Repo, capsys: pytest.CaptureFixture[str], args: tuple[str, ...], code: int, says: tuple[str, ...]
) -> None:
    """Each is named, and no file of the call is kept."""
    (repo.path / "bad.xml").write_text(JUNIT[:-5])
    (repo.path / "other.xml").write_text(JUNIT.replace("<testcase/>", "<testcase/><testcase/>"))
    assert record(*args) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert all(each in captured.err for each in says), captured.err
    assert not (repo.path / "kept").exists()


def test_a_broken_store_is_named(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """The message has the file and the line, and the advice to repair it works."""
    assert record("junit.xml") == 0
    (kept,) = repo.path.glob("kept/tests/*")
    kept.write_text(kept.read_text() + '{"kind":"tests"\n')
    capsys.readouterr()
    assert record("coverage.xml", "junit.xml") == 4
    captured = capsys.readouterr().err
    assert "tests/2026-11.jsonl:2: " in captured
    assert "next:  correct the lines" in captured
    assert not (repo.path / "kept" / "coverage").exists()


def test_the_run_names_the_commit(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """In GitHub Actions it is that of the run, unless the user names one; lines have their own and may lack any."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_SHA", "c" * 40)
    (repo.path / "lines").write_text(RELEASE)
    assert record("junit.xml", "lines") == 4
    assert record("junit.xml", "lines", "--import") == 0
    assert record("coverage.xml", "--commit", "d" * 40) == 0
    commits = [json.loads(path.read_text()).get("commit") for path in sorted(repo.path.glob("kept/*/*.jsonl"))]
    assert commits == ["d" * 40, None, "c" * 40]


def test_records_on_a_branch(repo: Repo, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A world's forge gets a branch with one commit for each call that adds something."""
    with start_forge(tmp_path) as at:
        world = ("--world", str(at.world / "world.toml"), "--store", "branch:figures")
        for names in (("junit.xml",), ("junit.xml", "coverage.xml"), ("junit.xml",)):
            assert record(*names, *world) == 0
        at.repo.git("fetch", "--quiet", str(at.world / "remote.git"), "figures")
        log = at.repo.git("log", "--format=%s", "FETCH_HEAD").splitlines()
        assert log == ["Record 1 tests, 1 coverage", "Record 1 tests"]
        assert record("junit.xml", *world[:2], "--store", "branch:main") == 4
    captured = capsys.readouterr()
    assert "the branch figures of acme/demo" in captured.err
    assert "used for something else" in captured.err
    assert not repo.git("status", "--porcelain", "--", ".unmoor")


def test_the_records_as_a_database(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """All records are written to a file that SQLite reads; without a file to write the command is wrong."""
    assert record("junit.xml", "coverage.xml") == 0
    assert app.run(["metrics", "report", "--database", "out.sqlite"]) == 0
    assert "wrote out.sqlite" in capsys.readouterr().err
    with closing(sqlite3.connect(repo.path / "out.sqlite")) as database:
        assert database.execute("SELECT suite, passed FROM tests").fetchall() == [("unit", 1)]
    assert app.run(["metrics", "report"]) == 2
    assert "--html FILE or --database FILE" in capsys.readouterr().err
