"""The error if nothing names the repository on the forge."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.local_release import small_repo

from unmoor.cli.app import run


@pytest.mark.parametrize("command", [("plan", "v1.0"), ("status", "v1.0"), ("clean", "images")], ids=" ".join)
@pytest.mark.parametrize(
    ("remote", "why"),
    [
        pytest.param("", "there is no git remote", id="none"),
        pytest.param(
            "https://me:secret@git.example.org/a/b", "https://git.example.org/a/b is not on GitHub", id="other"
        ),
    ],
)
def test_no_repository(
    command: tuple[str, ...], remote: str, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message names the remote, without its password."""
    repo = small_repo(tmp_path / "small")
    repo.commit({"pyproject.toml": "[project]\nname = 'small'\nversion = '1.0'\n", "Dockerfile": "FROM a\n"})
    repo.git("tag", "-f", "v1.0")
    if remote:
        repo.git("remote", "add", "origin", remote)
    assert run([*command, "--directory", str(repo.path)]) == 4
    stderr = capsys.readouterr().err
    assert f"which repository on the forge this is: {'the git remote ' if remote else ''}{why}" in stderr
    assert "secret" not in stderr
