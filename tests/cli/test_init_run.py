"""``unmoor init``: a diff, one question, all of it or nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.scaffold.test_publish_workflows import UPLOADS, workflow
from tests.support.git_repos import Repo
from tests.support.proposals import FILES, PROJECT
from tests.workflows.test_tool_list import HASH

from unmoor._version import __version__
from unmoor.cli import app
from unmoor.filesystem.files import atomic_writer
from unmoor.scaffold import file_changes

RELEASE = ".github/workflows/release.yml"
LIST = ".github/unmoor/requirements.txt"
EVERY_PART = ("release", "ci", "security", "changelog", "docker", "hooks")
TESTED = {"tests/test_it.py": "def test_it() -> None:\n    pass\n"}


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    """The checkout of a project on GitHub without a changelog, in which the command runs."""
    files = {name: text for name, text in FILES.items() if name != "CHANGELOG.md"}
    made = Repo.new(tmp_path / "demo", {**files, **TESTED})
    made.git("remote", "add", "origin", "https://github.com/acme/demo.git")
    (tmp_path / "list.txt").write_text(f"unmoor=={__version__} \\\n{HASH}")
    monkeypatch.chdir(made.path)
    for name in ("GITHUB_ACTIONS", "GITHUB_REPOSITORY"):
        monkeypatch.delenv(name, raising=False)
    return made


def init(*args: str) -> int:
    """Run the command with a list of its own."""
    return app.run(["init", "--tool", "../list.txt", *args])


def status(repo: Repo) -> str:
    """What differs from the last commit, with new files."""
    return repo.git("status", "--porcelain", "--untracked-files=all")


@pytest.mark.parametrize("part", EVERY_PART)
def test_a_part_is_written_and_then_complete(part: str, repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """After it is committed, the same command proposes nothing, and the workflows are as they should be."""
    assert init(part, "--check") == 1
    assert init(part, "--yes") == 0
    assert status(repo) != ""
    repo.commit({})
    capsys.readouterr()
    assert init(part, "--check") == 0
    out, err = capsys.readouterr()
    assert (out, "nothing to change" in err) == ("", True)
    assert init(part, "--yes") == 0
    assert status(repo) == ""
    if part in {"release", "ci"}:
        assert app.run(["workflows", "check", part]) == 0


def test_all_parts_fit_together(repo: Repo) -> None:
    """The release workflow has the image of the Dockerfile that is written with it."""
    assert init(*EVERY_PART, "--yes") == 0
    assert "linux/amd64" in (repo.path / RELEASE).read_text()
    repo.commit({})
    assert init(*EVERY_PART, "--check") == 0
    assert app.run(["workflows", "check"]) == 0


def test_without_a_terminal_the_diff_can_be_applied(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is written, and what is printed is the whole change."""
    repo.commit({"pyproject.toml": PROJECT.rstrip(), ".github/workflows/up.yml": workflow(UPLOADS["uv"])})
    capsys.readouterr()
    assert init() == 0
    out, err = capsys.readouterr()
    assert status(repo) == ""
    assert "add --yes" in err
    subprocess.run(["git", "apply"], input=out, text=True, check=True)  # noqa: S607
    applied = (repo.path / "pyproject.toml").read_bytes()
    repo.git("checkout", "--", ".")
    repo.git("clean", "-fdq")
    assert init("--yes") == 0
    assert (repo.path / "pyproject.toml").read_bytes() == applied


@pytest.mark.parametrize("answer", [True, False], ids=["yes", "no"])
def test_a_person_is_asked_once(
    repo: Repo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, answer: bool
) -> None:
    """On a terminal; the answer decides about all files."""
    asked: list[str] = []
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)

    def confirm(text: str, *, err: bool) -> bool:
        assert err
        asked.append(text)
        return answer

    monkeypatch.setattr("click.confirm", confirm)
    assert init() == 0
    assert asked == ["Write 3 files?"]
    assert (repo.path / RELEASE).exists() is answer
    assert ("nothing was written" in capsys.readouterr().err) is not answer


def test_a_machine_gets_everything(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """With --json nothing is asked, and the checklist has the values to type."""
    repo.commit({".github/workflows/up.yml": workflow(UPLOADS["uv"], job="    environment: deploy\n")})
    assert init("--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert {each["path"]: each["state"] for each in found["changes"]}[".github/workflows/up.yml"] == "updated"
    typed = {each["check"]: dict(each["values"]) for each in found["checklist"]}
    assert (
        typed["publisher-index"] | {"Workflow name": "up.yml", "Environment name": "deploy"} == typed["publisher-index"]
    )
    assert typed["publisher-index"]["Owner"] == "acme"
    assert status(repo) == ""


def _empty(repo: Repo) -> None:
    (repo.path / ".git/refs/heads/main").unlink()
    (repo.path / ".git/index").unlink()


def _broken(repo: Repo) -> None:
    repo.commit({"pyproject.toml": "[project\n"})


def _no_version(repo: Repo) -> None:
    repo.commit({"pyproject.toml": PROJECT.replace('version = "1.0"\n', "")})


def _gitlab(repo: Repo) -> None:
    repo.git("remote", "set-url", "origin", "https://gitlab.com/acme/demo.git")


def _uncommitted(repo: Repo) -> None:
    repo.commit({".github/workflows/up.yml": workflow(UPLOADS["uv"])})
    repo.write({"pyproject.toml": f"{PROJECT}# mine\n"})


def _untracked(repo: Repo) -> None:
    repo.write({".github/workflows/release.yml": workflow(UPLOADS["uv"])})


def _no_project(repo: Repo) -> None:
    repo.git("rm", "-q", "pyproject.toml")
    repo.commit({})


def _wrong_settings(repo: Repo) -> None:
    repo.commit({"pyproject.toml": f"{PROJECT}[tool.unmoor]\ntest = 1\n"})


def _inline(repo: Repo) -> None:
    repo.commit(
        {
            "pyproject.toml": f"tool.unmoor.deadline = 60\n{PROJECT}",
            ".github/workflows/up.yml": workflow(UPLOADS["uv"]),
        }
    )


def _flow(repo: Repo) -> None:
    repo.commit(
        {".github/workflows/up.yml": "on: push\njobs: {t: {steps: [{run: tox}]}, u: {steps: [{run: uv publish}]}}\n"}
    )


def _link(repo: Repo) -> None:
    (repo.path / ".github").mkdir()
    (repo.path / ".github/workflows").symlink_to(repo.path.parent)
    repo.commit({})


def _old_list(repo: Repo) -> None:
    (repo.path.parent / "list.txt").write_text(f"unmoor==0.0.1 \\\n{HASH}")


def _edited(repo: Repo) -> None:
    init("--yes")
    path = repo.path / RELEASE
    repo.commit({RELEASE: f"{path.read_text()}\n\tbroken: 1\n"})


REFUSED: Mapping[str, tuple[Callable[[Repo], None], int, str]] = {
    "no commits": (_empty, 4, "has no commits yet"),
    "broken pyproject": (_broken, 3, "pyproject.toml"),
    "no version": (_no_version, 3, "has no version"),
    "another forge": (_gitlab, 4, "not on GitHub"),
    "uncommitted": (_uncommitted, 4, "not committed"),
    "untracked": (_untracked, 4, "not committed"),
    "no project": (_no_project, 3, "no Python project here"),
    "wrong settings": (_wrong_settings, 3, "tool.unmoor.test"),
    "inline settings": (_inline, 4, "cannot be added"),
    "flow style": (_flow, 4, "would upload a second time"),
    "a link": (_link, 4, "it is a link"),
    "an older list": (_old_list, 4, "older than"),
    "a broken workflow": (_edited, 4, "not valid YAML"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_in_the_way_is_named_and_nothing_written(
    name: str, repo: Repo, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message says what, where and what to do next; no file has changed."""
    begin, code, what = REFUSED[name]
    begin(repo)
    before = status(repo) if name != "no commits" else ""
    capsys.readouterr()
    assert init("--yes") == code
    err = capsys.readouterr().err
    assert what in err
    assert "next:" in err
    assert not (repo.path / LIST).exists() or name == "a broken workflow"
    assert name == "no commits" or status(repo) == before


def _no_remote(repo: Repo) -> None:
    repo.git("remote", "remove", "origin")


def _detached(repo: Repo) -> None:
    repo.git("checkout", "-q", "--detach")


def _two_versions(repo: Repo) -> None:
    repo.commit({"setup.cfg": "[metadata]\nversion = 0.9\n"})


NOTED: Mapping[str, tuple[Callable[[Repo], None], str]] = {
    "no remote": (_no_remote, "there is no git remote"),
    "detached": (_detached, "HEAD is detached"),
    "two versions": (
        _two_versions,
        "two versions: 1.0 in pyproject.toml, line 7, which is built, and 0.9 in setup.cfg",
    ),
}


@pytest.mark.parametrize("name", NOTED)
def test_what_will_be_in_the_way_is_said(name: str, repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """The proposal is made all the same."""
    begin, what = NOTED[name]
    begin(repo)
    assert init("--yes") == 0
    assert what in capsys.readouterr().err
    assert (repo.path / RELEASE).exists()


def test_line_ends_stay(repo: Repo) -> None:
    """Lines that are added end as the others of the file do."""
    repo.git("config", "core.autocrlf", "false")
    repo.commit({"pyproject.toml": PROJECT.replace("\n", "\r\n"), ".github/workflows/up.yml": workflow(UPLOADS["uv"])})
    assert init("--yes") == 0
    text = (repo.path / "pyproject.toml").read_bytes()
    assert text.startswith(PROJECT.replace("\n", "\r\n").encode())
    assert text.count(b"\n") == text.count(b"\r\n")
    repo.commit({})
    assert init("--check") == 0


def test_a_project_in_a_folder_has_its_own_files(repo: Repo) -> None:
    """Its settings are beside it, its workflow at the top."""
    repo.git("mv", "pyproject.toml", "README.toml")
    repo.commit({f"packages/demo/{name}": text for name, text in FILES.items()})
    assert init("--yes", "--directory", "packages/demo") == 0
    assert (repo.path / ".github/workflows/release-demo.yml").exists()
    repo.commit({})
    assert init("--check", "--path", "packages/demo") == 0


def test_a_folder_that_cannot_be_written_is_no_half_write(
    repo: Repo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Root may write everywhere, so the second file refuses here."""
    real, left = atomic_writer, [2]

    def refusing(path: Path, *, mode: int) -> object:
        left[0] -= 1
        if not left[0]:
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, mode=mode)

    monkeypatch.setattr(file_changes, "atomic_writer", refusing)
    assert init("--yes") in {4, 5, 13}
    assert "next:" in capsys.readouterr().err
    assert status(repo) == ""
    assert not (repo.path / ".github").exists()


def test_without_the_index_nothing_is_written(
    repo: Repo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the jobs install is then unknown; a list of one's own takes its place."""
    monkeypatch.setenv("UV_INDEX_URL", "http://127.0.0.1:9/simple/")
    monkeypatch.setenv("UV_NO_CONFIG", "1")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    assert app.run(["init", "--yes"]) in {10, 12}
    assert "next:" in capsys.readouterr().err
    assert status(repo) == ""
