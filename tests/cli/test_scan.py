"""``unmoor scan``: any folder or the files of a tag; findings on stdout, an exit code, JSON and SARIF."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.scanning.test_archives import KEY, TOKEN, sdist, wheel
from tests.support import sample_projects
from tests.support.git_repos import Repo

from unmoor.cli import app

OFF = "scan = { vulnerabilities = 'off' }\n"


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    """Run the command; return its exit code and what it prints."""
    code = app.run(["scan", *args])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of settings without a scan for vulnerabilities, outside of any checkout."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "unmoor.toml"
    path.write_text(OFF)
    return path


def test_a_folder(tmp_path: Path, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Findings are listed with what ignores them, in no form with the secret; samples stop nothing."""
    dists = tmp_path / "dists"
    dists.mkdir()
    wheel(dists, **{"demo/a.py": TOKEN})
    sdist(dists, **{"tests/a.key": KEY})
    log = tmp_path / "scan.sarif"
    code, out, err = run(capsys, "--config", str(config), "--dists", str(dists), "--sarif", str(log))
    assert code == 17
    assert out.splitlines() == [
        "error: demo-1.0-py3-none-any.whl: demo/a.py, line 1: a token of GitHub (github-token:demo/a.py)",
        "note: demo-1.0.tar.gz: tests/a.key, line 1: a private key (private-key:tests/a.key)",
    ]
    assert "next:  revoke" in err
    assert '{ id = "github-token:demo/a.py", reason = "…", until = ' in err
    assert len(json.loads(log.read_text())["runs"][0]["results"]) == 2
    assert TOKEN not in out + err + log.read_text()
    ignored = '{ id = "github-token:*", reason = "made up", until = 2999-01-31 }'
    config.write_text(f"scan = {{ vulnerabilities = 'off', ignore = [{ignored}] }}")
    code, out, err = run(capsys, "--config", str(config), "--dists", str(dists), "--json")
    assert code == 0
    assert [(each["id"], each["ignored"]) for each in json.loads(out)["findings"]] == [
        ("github-token:demo/a.py", "made up"),
        ("private-key:tests/a.key", ""),
    ]


def test_an_empty_folder(tmp_path: Path, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder without built files is no clean scan."""
    code, out, err = run(capsys, "--config", str(config), "--dists", str(tmp_path))
    assert (code, out) == (12, "")
    assert "neither a wheel nor an sdist" in err


def test_the_files_of_a_tag(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The files in the run folder are scanned by the settings of the tag's commit; without any there is no scan."""
    repo = Repo.new(tmp_path / "checkout", sample_projects.files() | {"unmoor.toml": OFF})
    repo.git("tag", "v1.0")
    arguments = ("--directory", str(repo.path), "v1.0")
    code, _, err = run(capsys, *arguments)
    assert code == 12
    assert "unmoor release --dry-run v1.0" in err
    dists = repo.path / ".unmoor" / "v1.0" / "dists"
    dists.mkdir(parents=True)
    wheel(dists)
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (0, "")
    assert err.splitlines()[-1] == "1 file: nothing found"
    wheel(dists, **{"demo/a.py": TOKEN})
    assert run(capsys, *arguments)[0] == 17


def test_a_required_scan_that_fails(tmp_path: Path, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A service that does not answer is exit code 10 if the scan is required, and a warning otherwise."""
    dists = tmp_path / "dists"
    dists.mkdir()
    wheel(dists)
    world = tmp_path / "world.toml"
    nowhere = "http://127.0.0.1:9"
    world.write_text(
        f'name = "w"\n[index]\nupload = "{nowhere}/l/"\nsimple = "{nowhere}/s/"\n[forge]\napi = "{nowhere}/api/v3"\n'
        f'[scanning]\nservice = "{nowhere}"\n'
    )
    world.chmod(0o600)
    for policy, expected in (("required", 10), ("advisory", 0)):
        config.write_text(f'scan = {{ vulnerabilities = "{policy}" }}')
        code, _, err = run(capsys, "--config", str(config), "--dists", str(dists), "--world", str(world))
        assert code == expected
        assert f"asking {nowhere}" in err
        assert "cannot tell whether there are vulnerabilities" in err
