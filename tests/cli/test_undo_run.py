"""``unmoor undo``, where it refuses to look at all. What it finds and removes is in test_partial_states.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.git_repos import Repo

from unmoor.cli.app import run

PROJECT = '[project]\nname = "demo"\nversion = "1.0"\n[tool.unmoor]\nrepository = "acme/demo"\n'


@pytest.mark.parametrize("args", [(), ("--apply",)], ids=["dry run", "apply"])
@pytest.mark.parametrize("remote", ["https://github.com/fork/demo", "git@github.com:acme/other.git"])
def test_a_fork_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], args: tuple[str, ...], remote: str
) -> None:
    """A checkout of another repository may hold credentials for the project's images, so nothing is read or removed."""
    repo = Repo.new(tmp_path / "fork", {"pyproject.toml": PROJECT})
    repo.git("tag", "v1.0")
    repo.git("remote", "add", "origin", remote)
    before = repo.state()
    assert run(["undo", *args, "--directory", str(repo.path), "v1.0"]) == 4
    seen = capsys.readouterr()
    assert seen.out == ""
    assert "but the project is released only from acme/demo" in seen.err
    assert repo.state() == before
