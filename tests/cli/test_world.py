"""The folders of local worlds belong to their owner only."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from tests.support.git_repos import Repo

from unmoor.advice import NextStep
from unmoor.cli.app import run
from unmoor.errors import Refused
from unmoor.filesystem.safe_folder import OWN
from unmoor.rehearsal import local


def refuse(*_args: object, **_options: object) -> None:
    """Start no servers."""
    raise Refused("not here", next_step=NextStep("nothing"))


@pytest.mark.parametrize(
    ("command", "folder"),
    [
        (["rehearse", "--directory", "{top}"], f"{{top}}/{OWN}/rehearsal"),
        (["world", "up", "--directory", "{top}"], f"{{top}}/{OWN}/world"),
        (["world", "up", "--directory", "{top}", "--dir", "{top}/../aside"], "{top}/../aside"),
    ],
    ids=["rehearse", "world up", "world up --dir"],
)
def test_the_folder_is_closed_from_the_first_moment(
    command: list[str], folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever command makes it: before anything is in it, with the usual umask."""
    top = Repo.new(tmp_path / "demo", {"pyproject.toml": '[project]\nname = "demo"\nversion = "1.0"\n'}).path
    made: dict[str, int] = {}
    mkdir = os.mkdir

    def record(path: str, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        mkdir(path, mode, dir_fd=dir_fd)
        made.setdefault(Path(path).name, mode)

    monkeypatch.setattr(os, "mkdir", record)
    monkeypatch.setattr(local, "start", refuse)
    monkeypatch.setattr(local.Beginning, "serve", refuse)
    umask = os.umask(0o022)
    try:
        assert run([word.format(top=top) for word in command]) == 4
    finally:
        os.umask(umask)
    place = Path(folder.format(top=top))
    assert made[place.name] == 0o700
    assert stat.S_IMODE(place.stat().st_mode) == 0o700


_DEPLOYING = """
[project]
name = "demo"
version = "1.0"
[tool.unmoor.docs]
builder = "sphinx"
to = ["branch:gh-pages", "readthedocs:demo"]
[tool.unmoor.space]
repo = "acme/demo"
files = ["app.py"]
[tool.unmoor.announce]
targets = { chat = "CHAT_URL", other = "OTHER_URL" }
"""


@pytest.mark.parametrize(
    ("pyproject", "announce", "deployments", "warning"),
    [
        (_DEPLOYING, ("chat=slack", "other=json"), ("hub", "readthedocs"), ""),
        ('[project]\nname = "demo"\nversion = "1.0"\n', (), (), ""),
        ("[tool.unmoor]\nno-such-key = 1\n", (), (), "no servers for deployments and announcements"),
    ],
    ids=["deploys", "plain", "broken settings"],
)
def test_a_world_has_what_the_project_deploys_to(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    pyproject: str,
    announce: tuple[str, ...],
    deployments: tuple[str, ...],
    warning: str,
) -> None:
    """By the settings of the commit that is checked out; settings that are broken stop no world."""
    top = Repo.new(tmp_path / "demo", {"pyproject.toml": pyproject}).path
    asked: dict[str, object] = {}

    def record(*_args: object, **options: object) -> None:
        asked.update(options)
        refuse()

    monkeypatch.setattr(local, "start", record)
    monkeypatch.setenv("CHAT_URL", "slack://a/b/c")
    assert run(["world", "up", "--directory", str(top)]) == 4
    assert (asked["announce"], asked["deployments"]) == (announce, deployments)
    assert warning in capsys.readouterr().err
