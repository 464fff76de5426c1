"""``unmoor check``: what it prints, what its exit code says, and which files it reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.support.git_repos import Repo

from unmoor.cli import app

PROJECT = '[project]\nname = "demo"\nversion = "1.0"\nrequires-python = ">=3.11"\nreadme = "README.md"\n'
USUAL = {
    "pyproject.toml": PROJECT,
    "README.md": "# demo\n",
    "LICENSE": "",
    "CHANGELOG.md": "",
    ".gitignore": "*.log\n",
    "src/demo/__init__.py": "",
}


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    """The checkout of a project in which nothing is wrong, and in which the command runs."""
    made = Repo.new(tmp_path / "demo", USUAL)
    made.git("remote", "add", "origin", "https://github.com/acme/demo.git")
    monkeypatch.chdir(made.path)
    for name in ("GITHUB_ACTIONS", "GITHUB_REPOSITORY", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    return made


def check(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    """Run the command, and return its exit code and what it printed."""
    code = app.run(["check", "--ignore", "syntax,actionlint,zizmor,hadolint", *args])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.usefixtures("repo")
@pytest.mark.parametrize(("args", "goal"), [((), "release"), (("--staged",), "commit")])
def test_a_repository_that_is_ready(args: tuple[str, ...], goal: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It ends in counts, and in what the repository is ready for."""
    code, out, err = check(capsys, *args)
    assert code == 0
    assert "error:" not in out
    assert "warning:" not in out
    assert f"ready to {goal}\n" in err
    assert " passed" in err


def test_a_critical_finding_fails(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """It is printed with its place, the exit code is 4, and the next step is one."""
    (repo.path / "README.md").unlink()
    code, out, err = check(capsys)
    assert code == 4
    assert "pyproject.toml: error: required-files: project.readme names README.md, and there is no such file\n" in out
    assert "error: not ready to release: required-files\n" in err
    assert "next:  correct what is listed, or ignore a check with a reason" in err


def test_a_warning_does_not_fail(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """It is counted."""
    repo.git("rm", "--quiet", "LICENSE")
    code, out, err = check(capsys, "--staged")
    assert code == 0
    assert "warning: optional-files: there is no licence\n" in out
    assert "1 with warnings" in err
    assert "ready to commit" in err


def test_the_index_counts(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """With ``--staged``, what is on disk but not staged neither helps nor harms."""
    repo.write({"pyproject.toml": PROJECT.replace('"1.0"', '"one"')})
    assert check(capsys, "--staged", "--select", "version")[0] == 0
    repo.git("add", "pyproject.toml")
    repo.write({"pyproject.toml": PROJECT})
    code, out, _ = check(capsys, "--staged", "--select", "version")
    assert (code, out) == (4, "pyproject.toml:3: error: version: 'one' is no version by PEP 440\n")
    assert check(capsys, "--select", "version")[0] == 0


def test_before_the_first_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is staged can be checked, and nothing can be released."""
    monkeypatch.chdir(tmp_path)
    repo = Repo(tmp_path)
    repo.git("init", "--quiet", "--template=", "--initial-branch=main")
    repo.write(USUAL)
    repo.git("add", "--all")
    assert check(capsys, "--staged")[0] == 0
    code, out, _ = check(capsys)
    assert code == 4
    assert "error: uncommitted: nothing is committed yet" in out


def test_what_is_ignored_is_shown(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """The reason of the settings is printed, so that nobody forgets it."""
    text = PROJECT + '[tool.unmoor.checks]\nignore = [{ id = "required-files", reason = "made by the build" }]\n'
    repo.commit({"pyproject.toml": text})
    repo.git("rm", "--quiet", "README.md")
    code, out, _ = check(capsys)
    assert code == 0
    assert "ignored: required-files: made by the build\n" in out


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ('ignore = [{ id = "version" }]\n', "missing: expected a reason, on one line"),
        ('ignore = [{ id = "version", reason = " " }]\n', "a reason, on one line"),
        ('ignore = [{ id = "versoin", reason = "x" }]\n', "there is no check 'versoin'; did you mean 'version'?"),
        ('required = ["../x"]\n', "expected relative paths inside the project"),
    ],
    ids=["no-reason", "blank", "unknown", "outside"],
)
def test_wrong_settings(repo: Repo, capsys: pytest.CaptureFixture[str], toml: str, message: str) -> None:
    """They are an error of their own, whatever the checks would find."""
    repo.write({"pyproject.toml": PROJECT + "[tool.unmoor.checks]\n" + toml})
    code, _, err = check(capsys)
    assert code == 3
    assert message in err


@pytest.mark.usefixtures("repo")
def test_a_check_that_does_not_exist(capsys: pytest.CaptureFixture[str]) -> None:
    """The advice lists those that do, by the command that it names."""
    code, _, err = check(capsys, "--select", "nothing")
    assert code == 3
    assert "next:  name a check of this list: unmoor check --list" in err
    assert app.run(["check", "--list"]) == 0
    assert "\nrequired-files " in capsys.readouterr().out
    assert app.run(["check", "--list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["id"] == "required-files"


@pytest.mark.parametrize(
    ("text", "message"),
    [("[project\n", "pyproject.toml, line 1"), ("\xff", "this line is not UTF-8")],
    ids=["toml", "bytes"],
)
def test_a_broken_pyproject(repo: Repo, capsys: pytest.CaptureFixture[str], text: str, message: str) -> None:
    """One message says where it is broken."""
    (repo.path / "pyproject.toml").write_bytes(text.encode("latin-1"))
    code, _, err = check(capsys)
    assert code == 3
    assert message in err


def test_outside_of_a_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message says so."""
    monkeypatch.chdir(tmp_path)
    code, _, err = check(capsys)
    assert code == 4
    assert "this folder is not in a git repository" in err


def test_line_ends_of_windows(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """CRLF changes no answer."""
    repo.commit({name: text.replace("\n", "\r\n") for name, text in USUAL.items()})
    code, out, _ = check(capsys)
    assert code == 0
    assert "error:" not in out


def test_a_detached_head_and_a_folder(
    repo: Repo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The project in the current folder is checked, with paths from the top."""
    repo.commit({"packages/one/pyproject.toml": '[project]\nname = "one"\nversion = "x"\n'})
    repo.git("checkout", "--quiet", "--detach")
    monkeypatch.chdir(repo.path / "packages" / "one")
    code, out, _ = check(capsys)
    assert code == 4
    assert "packages/one/pyproject.toml:3: error: version: 'x' is no version" in out


def test_json_and_sarif(repo: Repo, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both have every finding, with its place."""
    repo.write({"pyproject.toml": PROJECT.replace('"1.0"', '"one"')})
    log = tmp_path / "check.sarif"
    code, out, _ = check(capsys, "--json", "--sarif", str(log))
    assert code == 4
    document = json.loads(out)
    assert document["ready"] is False
    assert document["counts"]["failed"] >= 1
    (found,) = (each for each in document["checks"] if each["id"] == "version")
    assert found["problems"][0] | {"next": None} == {
        "what": "'one' is no version by PEP 440",
        "where": "pyproject.toml",
        "line": 3,
        "level": "critical",
        "next": None,
    }
    results = json.loads(log.read_text("utf-8"))["runs"][0]["results"]
    (place,) = next(each for each in results if each["ruleId"] == "version")["locations"]
    assert place["physicalLocation"]["region"] == {"startLine": 3}


def test_annotations(repo: Repo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """In GitHub Actions each finding is shown at its line."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    repo.write({"pyproject.toml": PROJECT.replace('"1.0"', '"one"')})
    code, _, err = check(capsys, "--select", "version")
    assert code == 4
    assert "::error file=pyproject.toml,line=3,title=version::'one' is no version by PEP 440\n" in err


def test_no_answer_is_no_success(
    repo: Repo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A check that crashes has exit code 10, and its traceback is in a file."""
    from unmoor.checks import version

    def crash(*_: object) -> None:
        raise KeyError("x")

    monkeypatch.setattr(version, "read_version", crash)
    del repo
    code, out, err = check(capsys, "--select", "version")
    assert code == 10
    assert "unknown: version: the check itself failed: KeyError: 'x'\n  next: " in out
    assert "not known to be ready to release: version gave no answer" in err
    assert ".traceback" in out


def test_the_work_tree_is_not_touched(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    """Checks only read: git's files, the index and the work tree stay as they are."""
    before = repo.state()
    check(capsys)
    check(capsys, "--staged")
    assert repo.state() == before
