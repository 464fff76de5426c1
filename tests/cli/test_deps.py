"""``unmoor deps update`` as a user types it, with the real uv against a local index."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.support.dated_index import NEW, Released, dated_index
from tests.support.git_repos import Repo
from tests.support.locked_projects import LockedProject

from unmoor.cli import app
from unmoor.rehearsal import local

PACKAGES = {
    "aa": [Released("1.0"), Released("1.1"), Released("1.2", uploaded=NEW)],
    "bb": [Released("1.0"), Released("1.1")],
    "cc": [Released("1.0"), Released("1.1", ["dd>=2", "nn"])],
    "dd": [Released("1.0"), Released("1.5"), Released("2.0"), Released("2.1", uploaded=NEW)],
    "ee": [Released("1.0"), Released("1.1")],
    "ff": [Released("1.0"), Released("1.1")],
    "gg": [Released("1.0"), Released("1.1"), Released("2.0")],
    "nn": [Released("1.0"), Released("1.1", uploaded=NEW)],
    "recent": [Released("1.0"), Released("1.1", uploaded=NEW)],
}
FIRST = {name: "1.0" for name in PACKAGES if name != "nn"} | {"recent": "1.1"}

PLAIN = {
    "pyproject.toml": '[project]\nname = "demo"\nversion = "1"\n[tool.unmoor]\ntest-command = "true"\n',
    "demo.py": "",
}


def run(project: LockedProject, *words: str) -> int:
    """Run the command in the project."""
    return app.run(["deps", "update", "--directory", str(project.repo.path), *words])


CI = "on: {pull_request: null, workflow_dispatch: null}\njobs: {}\n"


@pytest.mark.journey
def test_the_good_ones_of_a_batch_land(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two culprits, of which one flakes: one is left out, the other one stays, and nothing escapes the cool-down.

    What passed is proposed in another job, where uv makes the same locks again.
    """
    requires = ["aa", "bb", "cc", "dd<2", "ee", "ff", "gg", "recent>=1.1"]
    with dated_index(PACKAGES) as index:
        project = LockedProject.new(tmp_path, index, requires, FIRST, broken=[("bb", "1.1")], flaky={"ff": ("1.1", 1)})
        project.repo.commit({".github/workflows/ci.yml": CI}, "Test pull requests")
        result = tmp_path / "result.json"
        assert run(project, "--minor", "--major", "--cool-down", "7d", "--result", str(result)) == 0
        project.uv("lock", "--check")
        shown = capsys.readouterr()
        assert project.versions() == FIRST | {"aa": "1.1", "dd": "1.5", "ee": "1.1", "ff": "1.1", "gg": "2.0"}, shown
        assert b"exclude-newer" not in project.lock
        found = json.loads(result.read_bytes())
        assert [each["update"]["name"] for each in found["left_out"]] == ["bb"], found
        assert "bb 1.1 is broken" in found["left_out"][0]["why"]
        assert [each["name"] for each in found["flaky"]] == ["ff"]
        assert "held back: dd 2.0 is available, and dd<2 holds it at 1.0" in shown.err
        assert found["groups"][-1]["lock"].encode() == project.lock

        with local.start(tmp_path / "world", repository="acme/demo", checkout=project.repo.path) as running:
            hub = Repo(running.folder / "remote.git")
            project.repo.git("remote", "add", "origin", str(hub.path))
            project.repo.git("push", "--quiet", "origin", "main")
            monkeypatch.setenv("GITHUB_ACTIONS", "true")
            monkeypatch.setenv("GITHUB_REPOSITORY", "acme/demo")
            options = ["--directory", str(project.repo.path), "--world", str(running.world_file)]
            for times in ("opened", "unchanged"):
                assert app.run(["deps", "propose", *options, "--json", str(result)]) == 0
                proposed = json.loads(capsys.readouterr().out)["proposed"]
                assert [(each["group"], each["state"]) for each in proposed] == [("minor", times), ("major", times)]
            assert hub.git("show", "unmoor-deps/major:uv.lock") == project.lock.decode().strip()
            runs = json.loads(next(running.folder.rglob("runs.json")).read_bytes())
            assert {each["branch"] for each in runs} == {"unmoor-deps/minor", "unmoor-deps/major"}

            before = hub.git("for-each-ref")
            lock = found["groups"][1]["lock"]
            found["groups"][1]["lock"] = lock.replace("revision = ", "revision = 1")
            result.write_text(json.dumps(found), "utf-8")
            assert app.run(["deps", "propose", *options, str(result)]) == 4
            assert "uv makes another lock of these versions" in capsys.readouterr().err
            assert hub.git("for-each-ref") == before


def test_a_dry_run_tests_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It lists what would be tried, by group, and changes nothing."""
    packages = {name: PACKAGES[name] for name in ("aa", "gg")}
    with dated_index(packages) as index:
        project = LockedProject.new(tmp_path, index, ["aa", "gg"], {"aa": "1.0", "gg": "1.0"}, broken=[("aa", "1.0")])
        before = project.lock
        assert run(project, "--minor", "--major", "--dry-run") == 0
        assert capsys.readouterr().out == "minor: aa 1.0 -> 1.1\nmajor: gg 1.0 -> 2.0\n"
        # The tests fail with the unchanged lock.
        assert run(project, "--major", "gg") == 8
        said = capsys.readouterr().err
        assert "the tests fail before anything is updated" in said
        assert "aa 1.0 is broken" in said
        assert project.lock == before


def test_an_index_without_times_has_no_cool_down(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing counts as old enough if the index does not say, and the next step is to do without."""
    with dated_index({"aa": [Released("1.0", uploaded=""), Released("1.1", uploaded="")]}) as index:
        project = LockedProject.new(tmp_path, index, ["aa"], {"aa": "1.0"})
        assert run(project, "--minor", "--dry-run") == 4
        said = capsys.readouterr().err
        assert "missing an upload date" not in said
        assert "unmoor deps update --cool-down 0d" in said
        assert run(project, "--minor", "--dry-run", "--cool-down", "0d") == 0
        assert capsys.readouterr().out == "minor: aa 1.0 -> 1.1\n"


@pytest.mark.parametrize(
    ("files", "code", "said"),
    [
        ({}, 3, "this project has no uv.lock"),
        ({"poetry.lock": ""}, 3, "only uv.lock can be updated, and this project has poetry.lock"),
        ({"requirements.txt": ""}, 3, "and this project has requirements.txt"),
        ({"uv.lock": "version = 9\n"}, 3, "has the format 9"),
        ({"uv.lock": "<<<<<<<\n"}, 3, "is not TOML"),
    ],
)
def test_other_projects_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], files: dict[str, str], code: int, said: str
) -> None:
    """Other locks and none: a sentence and a next step, and nothing is written."""
    repo = Repo.new(tmp_path / "work", {**PLAIN, **files})
    assert app.run(["deps", "update", "--directory", str(repo.path)]) == code
    shown = capsys.readouterr().err
    assert said in shown
    assert "next:" in shown


def test_a_lock_of_a_workspace_is_at_the_top(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A member of a workspace has no lock, so the command for the top is named; a place for no result is refused."""
    files = {**PLAIN, "uv.lock": "version = 1\n", **{f"packages/a/{name}": text for name, text in PLAIN.items()}}
    repo = Repo.new(tmp_path / "work", files)
    options = ["deps", "update", "--directory", str(repo.path)]
    assert app.run([*options, "--path", "packages/a"]) == 3
    assert "unmoor deps update --path ." in capsys.readouterr().err
    assert app.run([*options, "--result", str(tmp_path / "nowhere" / "result.json")]) == 2
    assert "there is no folder" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["uv.lock", "pyproject.toml"])
def test_uncommitted_changes_are_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    """What would be updated is the commit, so a change of the lock or of the project is refused."""
    repo = Repo.new(tmp_path / "work", {**PLAIN, "uv.lock": "version = 1\n"})
    (repo.path / name).write_text(f"{(repo.path / name).read_text()}\n# changed\n", "utf-8", newline="")
    assert app.run(["deps", "update", "--directory", str(repo.path)]) == 4
    assert f"{name} differ from the commit" in capsys.readouterr().err


def test_a_result_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A missing file and another document: exit code 4, and what to do."""
    repo = Repo.new(tmp_path / "work", {**PLAIN, "uv.lock": "version = 1\n"})
    for name in ("missing.json", "pyproject.toml"):
        assert app.run(["deps", "propose", "--directory", str(repo.path), str(repo.path / name)]) == 4
        assert "unmoor deps update --result FILE" in capsys.readouterr().err
