"""``unmoor cut`` as a user types it, against a local world: its index, its GitHub, its git remote."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.cuts import PROJECT, REFUSE_MAIN, Cuttable
from tests.support.git_repos import Repo

from unmoor.cli import app
from unmoor.rehearsal import local


@pytest.fixture
def world(tmp_path: Path) -> Iterator[tuple[Cuttable, list[str]]]:
    """A checkout with a world's remote, and the options of every command."""
    repo = Repo.new(tmp_path / "work", PROJECT)
    repo.git("tag", "--annotate", "-m", "v1.2.3", "v1.2.3")
    repo.commit({"demo/new.py": ""}, "Add something")
    with local.start(tmp_path / "world", repository="acme/demo", checkout=repo.path) as running:
        hub = Repo(running.folder / "remote.git")
        repo.git("remote", "add", "origin", str(hub.path))
        repo.git("push", "--quiet", "--tags", "origin", "main")
        yield Cuttable(repo, hub), ["--directory", str(repo.path), "--world", str(running.world_file)]


def run(*words: str) -> int:
    """Run a command, and return its exit code."""
    return app.run(["cut", *words])


@pytest.mark.journey
def test_a_release_goes_through_a_pull_request(
    world: tuple[Cuttable, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    """Refused push, release branch, pull request, a squashed merge, and the tag on the commit that it made."""
    cuttable, options = world
    cuttable.add_hook("pre-receive", REFUSE_MAIN, at=cuttable.hub)
    before = cuttable.state()
    assert run("--bump", "minor", "--yes", *options) == 0
    shown = capsys.readouterr()
    assert shown.out.strip().endswith("/acme/demo/pull/1")
    assert "then:  merge it, and run unmoor cut --tag 1.3.0" in shown.err
    assert cuttable.state() == before
    assert run("--tag", "1.3.0", "--yes", *options) == 4
    assert "its pull request is still open" in capsys.readouterr().err

    (cuttable.hub.path / "hooks" / "pre-receive").unlink()
    repo = cuttable.repo
    repo.git("fetch", "--quiet", "origin", "release/v1.3.0")
    repo.git("merge", "--quiet", "--squash", "FETCH_HEAD")
    repo.git("commit", "--quiet", "-m", "Release 1.3.0 (#1)")
    merged = repo.git("rev-parse", "HEAD")
    repo.commit({"demo/later.py": ""}, "Go on")
    repo.git("push", "--quiet", "origin", "main")
    assert run("--tag", "--yes", *options) == 0
    assert capsys.readouterr().out == "v1.3.0\n"
    assert cuttable.hub.git("rev-parse", "v1.3.0^{commit}") == merged
    assert repo.git("rev-parse", "v1.3.0^{commit}") == merged


@pytest.mark.journey
def test_a_dry_run_prints_the_diff_and_the_commands(
    world: tuple[Cuttable, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    """The diff is on stdout and can be applied; the rest is on stderr."""
    cuttable, options = world
    before, remote = cuttable.state(), cuttable.remote_state()
    assert run("--bump", "minor", "--dry-run", *options) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("diff --git")
    assert "git push --atomic" in shown.err
    assert (cuttable.state(), cuttable.remote_state()) == (before, remote)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--yes",), 2, "unmoor cut --bump minor   1.3.0"),
        (("--bump", "minor"), 4, "no terminal to ask"),
        (("one",), 2, "is not a version"),
        (("1.3.0", "--bump", "minor"), 2, "cannot be used together"),
        (("--tag", "--rehearse"), 2, "cannot be used with"),
        (("1.3.0.dev1", "--yes"), 4, "development version"),
        (("--bump", "rc", "--yes"), 4, "raise major, minor or patch"),
    ],
)
def test_wrong_words_are_explained(
    world: tuple[Cuttable, list[str]], capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: int, said: str
) -> None:
    """Each has its exit code and a message, and nothing is pushed."""
    cuttable, options = world
    remote = cuttable.remote_state()
    assert run(*words, *options) == code
    assert said in capsys.readouterr().err
    assert cuttable.remote_state() == remote


def test_json_says_what_was_pushed(world: tuple[Cuttable, list[str]], capsys: pytest.CaptureFixture[str]) -> None:
    """A program reads the tag, the version and the commit."""
    cuttable, options = world
    assert run("1.4.0", "--yes", "--json", *options) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["state"], found["tag"], found["version"]) == ("pushed", "v1.4.0", "1.4.0")
    assert found["commit"] == cuttable.repo.git("rev-parse", "HEAD")
