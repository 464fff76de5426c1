"""``unmoor workflows check`` and ``list``: what is in the work tree, against what would be written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.test_workflows_write import OTHER_JOB, RELEASE, repo, write  # noqa: F401 - a fixture
from tests.support.git_repos import Repo

from unmoor.cli import app
from unmoor.workflows.pins import PINS

CHECKOUT = PINS["actions/checkout"]
OTHER = "0123456789abcdef0123456789abcdef01234567"
LOCK = ".github/workflows/actions.lock"


@pytest.fixture
def written(repo: Repo, capsys: pytest.CaptureFixture[str]) -> Path:  # noqa: F811 - the fixture
    """The file ``release.yml`` of a checkout in which it was written."""
    assert write("release") == 0
    capsys.readouterr()
    return repo.path / RELEASE


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("", "", 0),
        (f"{CHECKOUT.commit} # {CHECKOUT.version}", f"{OTHER} # v7.9.0", 0),
        (f"{CHECKOUT.commit} # {CHECKOUT.version}", f"{OTHER} # v8.0.0", 0),
        (f"{CHECKOUT.commit} # {CHECKOUT.version}", f"{OTHER} # v6.0.0", 9),
        (f"@{CHECKOUT.commit} # {CHECKOUT.version}", "@v7", 9),
        ("contents: read #", "contents: write #", 9),
        ("cancel-in-progress: false", "cancel-in-progress: true", 9),
    ],
    ids=["same", "newer", "major", "older", "tag", "permission", "concurrency"],
)
def test_what_is_found(written: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, code: int) -> None:
    """The exit code says whether something differs; each difference is a line with its place."""
    if old:
        text = written.read_text()
        assert old in text
        written.write_text(text.replace(old, new) + OTHER_JOB)
    assert app.run(["workflows", "check"]) == code
    captured = capsys.readouterr()
    if code:
        assert captured.out.startswith(f"{RELEASE}:")
        assert "next:  unmoor workflows write" in captured.err
    elif "v8" in new:
        assert ": warning: " in captured.out
    else:
        assert captured.out == ""


def test_what_is_not_written_is_missing(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    """Without any file there is nothing to compare, which is no success."""
    del repo
    assert app.run(["workflows", "check", "release"]) == 12
    assert f"not written yet: {RELEASE}" in capsys.readouterr().err


def test_annotations(written: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """In GitHub Actions each difference is shown at its line."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    written.write_text(written.read_text().replace("contents: read #", "contents: write #"))
    assert app.run(["workflows", "check"]) == 9
    assert f"\n::error file={RELEASE},line=" in f"\n{capsys.readouterr().err}"


def test_the_result_as_json(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A program reads the same differences."""
    written.write_text(written.read_text().replace("contents: read #", "contents: write #"))
    assert app.run(["workflows", "check", "--json"]) == 9
    found = json.loads(capsys.readouterr().out)
    assert found["files"] == [RELEASE]
    assert {each["level"] for each in found["differences"]} == {"error"}


@pytest.mark.parametrize(
    ("lock", "code", "what"),
    [
        ("version: v0.1\ndependencies: {}\n", 9, "actions/checkout is missing from it"),
        ("{{{", 0, "cannot be read"),
        ("version: v9\nother: []\n", 0, "cannot be read"),
    ],
    ids=["empty", "broken", "unknown"],
)
def test_a_lock_of_actions(written: Path, capsys: pytest.CaptureFixture[str], lock: str, code: int, what: str) -> None:
    """Actions that the lock lacks are named, with GitHub's command; a lock that is not understood is no pass."""
    path = written.parent / "actions.lock"
    path.write_text(lock)
    assert app.run(["workflows", "check"]) == code
    out = capsys.readouterr().out
    assert what in out
    assert "gh actions-lock" in out
    assert path.read_text() == lock


def test_a_lock_that_has_everything_passes(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The lock names each action with its commit; writing leaves it alone and names the command."""
    entries = "".join(f"  {name}@{pin.commit}: {{}}\n" for name, pin in PINS.items())
    path = written.parent / "actions.lock"
    path.write_text(f"version: v0.1\ndependencies:\n{entries}")
    assert app.run(["workflows", "check"]) == 0
    written.write_text(written.read_text().replace("contents: read #", "contents: write #"))
    assert write() == 0
    assert "run `gh actions-lock`" in capsys.readouterr().err


def test_the_list_names_each_job(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Files that are written are told from those that are not."""
    del written
    assert app.run(["workflows", "list"]) == 0
    out = capsys.readouterr().out
    assert f"{RELEASE} " in out
    assert "(not written)" in out
    assert "id-token: write" in out
    assert app.run(["workflows", "list", "--json"]) == 0
    assert RELEASE in {each["path"] for each in json.loads(capsys.readouterr().out)}
