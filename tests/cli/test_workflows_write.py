"""``unmoor workflows write``: every file or none, with the jobs of others as they are."""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO

import pytest
from tests.support.git_repos import Repo
from tests.workflows.test_tool_list import HASH

from unmoor._version import __version__
from unmoor.cli import app
from unmoor.filesystem import files as files_module
from unmoor.scaffold import file_changes

PROJECT = '[project]\nname = "demo"\nversion = "1.0"\nrequires-python = ">=3.11"\n'
TOOL_LIST = f"unmoor=={__version__} \\\n{HASH}"
RELEASE = ".github/workflows/release.yml"
OTHER_JOB = (
    "\n  docs:\n      runs-on:   ubuntu-latest  # ours\n      permissions: {}\n      steps: [ {run: make docs} ]\n"
)


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    """The checkout of a project on GitHub, in which the command runs."""
    made = Repo.new(tmp_path / "demo", {"pyproject.toml": PROJECT, "src/demo/__init__.py": ""})
    made.git("remote", "add", "origin", "https://github.com/acme/demo.git")
    (tmp_path / "list.txt").write_text(TOOL_LIST)
    monkeypatch.chdir(made.path)
    for name in ("GITHUB_ACTIONS", "GITHUB_REPOSITORY"):
        monkeypatch.delenv(name, raising=False)
    return made


def write(*args: str) -> int:
    """Run the command with a list of its own."""
    return app.run(["workflows", "write", "--tool", "../list.txt", *args])


def files(repo: Repo) -> Mapping[str, bytes]:
    """Every file below ``.github``."""
    folder = repo.path / ".github"
    return {path.relative_to(repo.path).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_all_files_are_written_once(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """The first run writes everything; the second one changes nothing, and check finds no difference."""
    assert write() == 0
    first = files(repo)
    assert {RELEASE, ".github/dependabot.yml", ".github/unmoor/requirements.txt"} <= set(first)
    assert f"written: {RELEASE}" in capsys.readouterr().out
    assert write() == 0
    assert files(repo) == first
    assert f"unchanged: {RELEASE}" in capsys.readouterr().out
    assert app.run(["workflows", "check"]) == 0


def test_an_optional_file_is_written_if_it_is_named_or_there(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody gets one without asking for it; from then on it is kept right with the others, and checked."""
    optional = {f".github/workflows/{name}.yml" for name in ("bench", "metrics", "upkeep", "watch")}
    assert write() == 0
    assert not optional & set(files(repo))
    assert app.run(["workflows", "check", "metrics"]) == 12
    (repo.path / "pyproject.toml").write_text(PROJECT + '[tool.unmoor.bench]\nmeasure = [{name = "a", run = "b"}]\n')
    assert write("bench", "metrics.yml", "upkeep", "watch") == 0
    assert optional < set(files(repo))
    capsys.readouterr()
    assert write() == 0
    assert {f"unchanged: {path}" for path in (*optional, RELEASE)} < set(capsys.readouterr().out.splitlines())
    bench = repo.path / ".github/workflows/bench.yml"
    bench.write_text(bench.read_text().replace("pull-requests: write #", "issues: write #"))
    assert app.run(["workflows", "check"]) == 9
    assert ".github/workflows/bench.yml" in capsys.readouterr().out
    assert app.run(["workflows", "list"]) == 0
    assert "upkeep.yml" in capsys.readouterr().out


def test_an_optional_file_with_nothing_to_do_is_not_written(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """The message names the table of the settings, and nothing is written."""
    assert write("upkeep", "bench") == 3
    assert "there is no table [tool.unmoor.bench]" in capsys.readouterr().err
    assert not (repo.path / ".github").exists()
    assert app.run(["workflows", "list"]) == 0
    assert "bench.yml" not in capsys.readouterr().out


def test_a_failure_leaves_all_as_they_were(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file is written beside its place before the first one comes into it."""
    real, left = files_module.atomic_writer, [3]

    def full(path: Path, *, mode: int) -> AbstractContextManager[IO[bytes]]:
        left[0] -= 1
        if not left[0]:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return real(path, mode=mode)

    monkeypatch.setattr(file_changes, "atomic_writer", full)
    assert write() == 13
    assert files(repo) == {}


def test_a_dry_run_writes_nothing(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """It prints what it would change as a diff."""
    assert write("--dry-run", "release") == 0
    assert files(repo) == {}
    out = capsys.readouterr().out
    assert f"+++ b/{RELEASE}" in out
    assert "+++ b/.github/unmoor/requirements.txt" in out
    assert "ci.yml" not in out


def _own_file(repo: Repo) -> None:
    repo.write({RELEASE: "name: mine\non: push\njobs: {}\n"})


def _broken(repo: Repo) -> None:
    write("release")
    path = repo.path / RELEASE
    path.write_text(path.read_text() + "\n\tbroken: 1\n")


def _twin(repo: Repo) -> None:
    repo.write({".github/workflows/release.yaml": "on: push\njobs: {}\n"})


def _folder(repo: Repo) -> None:
    (repo.path / RELEASE).mkdir(parents=True)


def _link(repo: Repo) -> None:
    (repo.path / RELEASE).parent.mkdir(parents=True)
    (repo.path / RELEASE).symlink_to("../../../outside.yml")


def _gitlab(repo: Repo) -> None:
    repo.git("remote", "set-url", "origin", "https://gitlab.com/acme/demo.git")


def _old_list(repo: Repo) -> None:
    (repo.path.parent / "list.txt").write_text(f"unmoor==0.0.1 \\\n{HASH}")


def _settings(repo: Repo) -> None:
    repo.write({"pyproject.toml": f"{PROJECT}[tool.unmoor.workflows]\nwheels = ['amiga']\n"})


def _anchor(repo: Repo) -> None:
    write("release")
    path = repo.path / RELEASE
    path.write_text(path.read_text().replace("\nenv:\n", "\nenv: &all\n") + "\n  docs:\n    env: *all\n    steps: []\n")


def _no_folder(repo: Repo) -> None:
    repo.write({".github": "not a folder\n"})


REFUSED: Mapping[str, tuple[Callable[[Repo], None], int, str]] = {
    "a file of one's own": (_own_file, 4, "unmoor did not write this file"),
    "broken YAML": (_broken, 4, "not valid YAML"),
    "another ending": (_twin, 4, "would both run"),
    "a folder": (_folder, 4, RELEASE),
    "no folder": (_no_folder, 4, "it is no folder"),
    "a link": (_link, 4, RELEASE),
    "another forge": (_gitlab, 4, "not on GitHub"),
    "an older list": (_old_list, 4, "older than"),
    "wrong settings": (_settings, 3, "tool.unmoor.workflows.wheels"),
    "an anchor": (_anchor, 4, "uses an anchor"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_in_the_way_is_named_and_nothing_written(
    name: str, repo: Repo, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message says what and where; no file has changed, not even one that could have been written."""
    begin, code, what = REFUSED[name]
    begin(repo)
    capsys.readouterr()
    before = files(repo)
    assert write("release", "security") == code
    assert files(repo) == before
    err = capsys.readouterr().err
    assert what in err
    assert "next:" in err


def test_a_file_of_another_name_is_a_wrong_setting(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """Only the files that unmoor writes have names."""
    assert write("deploy") == 3
    assert "it writes" in capsys.readouterr().err
    assert files(repo) == {}


def test_a_file_of_ones_own_can_be_replaced(repo: Repo) -> None:
    """With --replace the file becomes ours."""
    _own_file(repo)
    assert write("--replace", "release") == 0
    assert app.run(["workflows", "check", "release"]) == 0


@pytest.mark.parametrize("ends", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_jobs_of_others_and_line_ends_stay(repo: Repo, capsys: pytest.CaptureFixture[str], ends: str) -> None:
    """Our part is written anew, with a line for what was changed back; a job of others stays byte for byte."""
    assert write("release") == 0
    path = repo.path / RELEASE
    text = path.read_text() + OTHER_JOB
    wrong = text.replace("contents: read #", "contents: write #", 1)
    path.write_bytes(wrong.replace("\n", ends).encode())
    assert write("release") == 0
    assert path.read_bytes() == text.replace("\n", ends).encode()
    assert "permissions.contents: it is 'write', and should be 'read': changed back" in capsys.readouterr().err


def test_what_cannot_be_listed_is_no_half_write(
    repo: Repo, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an index that answers, the list is unknown, and no workflow is written."""
    monkeypatch.setenv("UV_INDEX_URL", "http://127.0.0.1:9/simple/")
    monkeypatch.setenv("UV_NO_CONFIG", "1")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    assert app.run(["workflows", "write", "release"]) in {10, 12}
    assert files(repo) == {}
    assert "next:" in capsys.readouterr().err


def test_another_workflow_that_publishes_is_named(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """Two workflows that a tag starts and that can get an identity may both publish."""
    job = "permissions: {id-token: write}\njobs:\n  one: {runs-on: x, steps: []}\n"
    repo.write({".github/workflows/publish.yml": f"on: {{push: {{tags: ['v*']}}}}\n{job}"})
    assert write("release") == 0
    assert "publish.yml, which can publish as well" in capsys.readouterr().err
