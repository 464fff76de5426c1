"""``unmoor deploy service NAME --proxy-config`` prints to stdout, with the places of the world."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.git_repos import Repo

from unmoor.cli.app import run

PROJECT = """\
[project]
name = "demo"
version = "1.0"
[tool.unmoor]
repository = "acme/demo"
[tool.unmoor.service.web]
port = 8000
slots = { blue = 9101, green = 9102 }
smoke = ["/health"]
"""


def test_the_backend_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No tag, proxy or engine is needed. Without a state file in the world, one is proposed on stderr."""
    repo = Repo.new(tmp_path / "demo", {"pyproject.toml": PROJECT})
    where = ("--directory", str(repo.path))
    assert run(["deploy", "service", "web", "--proxy-config", *where]) == 0
    seen = capsys.readouterr()
    assert "backend web\n" in seen.out
    assert "option httpchk GET /health\n" in seen.out
    assert "UNMOOR_PROXY_STATE=/var/lib/haproxy/servers.state" in seen.err
    monkeypatch.setenv("UNMOOR_PROXY_SOCKET", "/run/other.sock")
    monkeypatch.setenv("UNMOOR_PROXY_STATE", "/run/other.state")
    assert run(["deploy", "service", "web", "--proxy-config", *where]) == 0
    seen = capsys.readouterr()
    assert "stats socket /run/other.sock mode 660 level admin\n" in seen.out
    assert "server-state-file /run/other.state\n" in seen.out
    assert seen.err == ""


def test_a_service_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The message lists the services of the settings."""
    repo = Repo.new(tmp_path / "demo", {"pyproject.toml": PROJECT})
    assert run(["deploy", "service", "api", "--proxy-config", "--directory", str(repo.path)]) == 3
    seen = capsys.readouterr()
    assert seen.out == ""
    assert "no table [tool.unmoor.service.api] in the settings; its services are: web" in seen.err
