"""``unmoor deploy``, where it refuses before it looks for anything. What it deploys is in tests/journeys."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.git_repos import Repo

from unmoor.cli.app import run

PROJECT = '[project]\nname = "demo"\nversion = "1.0"\n[tool.unmoor]\nrepository = "acme/demo"\n'
DOCS = '[tool.unmoor.docs]\nto = "readthedocs:demo"\n'
SERVICE = "[tool.unmoor.service.web]\nport = 8000\nslots = { blue = 9101, green = 9102 }\n"
WORLD = """\
name = "mine"
[index]
upload = "https://index.example/legacy/"
simple = "https://index.example/simple/"
"""


@pytest.mark.parametrize(
    ("more", "args", "said"),
    [
        ("", ("docs",), ("no table [tool.unmoor.docs] in the settings of v1.0", "configure-deployment")),
        ("", ("space",), ("no table [tool.unmoor.space]", "configure-deployment")),
        (SERVICE, ("service", "api"), ("of v1.0; its services are: web", "configure-deployment")),
        (DOCS, ("docs",), ("the world mine has no place for docs", "describe-deployment")),
    ],
    ids=["no docs", "no space", "another service", "no place"],
)
def test_what_is_not_configured_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: str, args: tuple[str, ...], said: tuple[str, str]
) -> None:
    """The message names the table or the world, and what to do; nothing is asked of any server."""
    repo = Repo.new(tmp_path / "demo", {"pyproject.toml": PROJECT + more})
    repo.git("tag", "v1.0")
    world = tmp_path / "world.toml"
    world.write_text(WORLD, encoding="utf-8", newline="\n")
    assert run(["deploy", *args, "--world", str(world), "--directory", str(repo.path), "v1.0"]) == 3
    seen = capsys.readouterr()
    assert seen.out == ""
    assert said[0] in seen.err
    assert f"unmoor explain {said[1]}" in seen.err


@pytest.mark.parametrize("kind", ["docs", "space"])
def test_undo_of_what_is_not_configured_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    """`undo --only` names the missing table in the same words."""
    repo = Repo.new(tmp_path / "demo", {"pyproject.toml": PROJECT})
    repo.git("tag", "v1.0")
    world = tmp_path / "world.toml"
    world.write_text(WORLD, encoding="utf-8", newline="\n")
    assert run(["undo", "--only", kind, "--world", str(world), "--directory", str(repo.path), "v1.0"]) == 3
    assert f"there is no table [tool.unmoor.{kind}]" in capsys.readouterr().err
