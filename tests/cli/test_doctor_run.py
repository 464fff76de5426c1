"""``unmoor doctor``: a report in every situation, exit 0 unless asked, and nothing secret."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from tests.support.faulty_server import Exchange, run_server
from tests.support.git_repos import Repo

from unmoor.cli import app, doctor_run

SECRETS = ("hunter2-index", "hunter2-forge", "hunter2-environ")


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    """Run the command; return its exit code and what it prints."""
    code = app.run(["doctor", *args])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def _world(path: Path, server: str) -> Path:
    path.write_text(
        f"""name = "w"
rehearsal = true
[index]
name = "acme"
upload = "{server}/legacy/"
simple = "{server}/simple/"
username = "carol"
password = "{SECRETS[0]}"
[forge]
api = "{server}/api/v3"
uploads = "{server}/api/uploads"
site = "{server}"
repository = "acme/plans"
token = "{SECRETS[1]}"
[git]
remote = "origin"
"""
    )
    path.chmod(0o600)
    return path


def _facts(out: str) -> dict[str, dict[str, Any]]:
    return {f"{each['group']}: {each['name']}": each for each in json.loads(out)["facts"]}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    """A checkout in the home of a user, with a secret in the environment."""
    home = tmp_path / "home" / "carol"
    home.mkdir(parents=True)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(home))
    monkeypatch.setenv("USER", "carol")
    monkeypatch.setenv("ACME_TOKEN", SECRETS[2])
    repo = Repo.new(home / "demo", {"pyproject.toml": "[project]\nname = 'demo'\nversion = '1.0'\n"})
    monkeypatch.chdir(repo.path)
    return repo


def _answer(exchange: Exchange) -> None:
    exchange.answer(200, b"{}")


def test_a_report(project: Repo, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says where credentials were found, and no secret, home, user or repository is in it."""
    with run_server(_answer) as server:
        world = _world(tmp_path / "w.toml", server.url)
        code, out, err = run(capsys, "--world", str(world), "--json")
        assert (code, err) == (0, "")
        facts = _facts(out)
        assert facts["credentials: acme"]["value"].startswith("found in ")
        assert "answers 200" in facts["surfaces: forge, uploads"]["value"]
        assert facts["machine: clock"]["value"] == "as on the servers"
        assert facts["project: checkout"]["value"] == str(Path("~", project.path.name))
        assert facts["credentials: secret variables"]["value"].startswith("ACME_TOKEN")
        assert {each.method for each in server.seen if "/repos/" not in each.path} == {"HEAD"}
        code, text, _ = run(capsys, "--world", str(world))
    assert code == 0
    assert text.startswith("```\nversions\n")
    assert not [each for each in (*SECRETS, "carol", "acme/plans", str(Path.home())) if each in out + text]


def test_a_world_that_does_not_answer(
    project: Repo, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that hangs makes its own line late and no other; only --strict makes that a failure."""
    del project
    monkeypatch.setattr(doctor_run, "WITHIN", 1.0)
    with run_server(lambda exchange: exchange.hang()) as server:
        world = str(_world(tmp_path / "w.toml", server.url))
        start = time.monotonic()
        code, out, _ = run(capsys, "--world", world, "--json")
        assert time.monotonic() - start < 8
        assert code == 0
        assert _facts(out)["surfaces: forge"]["state"] in {"absent", "unknown"}
        assert run(capsys, "--world", world, "--strict")[0] == 10


@pytest.mark.parametrize(
    ("text", "value"),
    [("index = [", "unknown: "), ("name = 1", "unknown: "), (None, "unknown: cannot read this world file")],
    ids=["broken", "wrong", "missing"],
)
def test_a_wrong_world_file(
    project: Repo, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None, value: str
) -> None:
    """The rest of the report is there."""
    del project
    path = tmp_path / "w.toml"
    if text is not None:
        path.write_text(text)
    code, out, _ = run(capsys, "--world", str(path), "--json")
    assert code == 0
    assert _facts(out)["surfaces: world"]["value"].startswith(value)
    assert "programs: git" in _facts(out)


@pytest.mark.parametrize("broken", ["nowhere", "no checkout", "settings", "address", "pypirc"])
def test_a_machine_in_disorder(
    broken: str, project: Repo, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is wrong becomes a line of the report."""
    monkeypatch.setattr(doctor_run, "WITHIN", 3.0)
    # No name is looked up on the network.
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    args: list[str] = []
    if broken == "nowhere":
        args = ["--directory", str(project.path / "missing")]
    elif broken == "no checkout":
        args = ["--directory", str(project.path.parent)]
    elif broken == "settings":
        project.commit({"pyproject.toml": "[tool.unmoor]\nno-such-key = 1\n"})
    elif broken == "address":
        monkeypatch.setenv("GITHUB_API_URL", "ftp://x")
    else:
        (project.path.parent / ".pypirc").write_text("hunter2")
    code, out, _ = run(capsys, *args, "--json")
    assert code == 0
    name = {"address": "surfaces: world", "pypirc": "credentials: pypi"}.get(broken, "project: project")
    assert _facts(out)[name]["state"] == ("absent" if broken in {"nowhere", "no checkout"} else "unknown")
