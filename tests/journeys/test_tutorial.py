"""The tutorials work as written: their commands run, and print the lines that they show."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import zipfile
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from tests.support.git_repos import Repo
from tests.support.local_release import UNMOOR
from tests.support.sample_projects import BACKEND, PYPROJECT
from tests.support.tutorials import PATIENCE, Reader, comparable

from unmoor._version import __version__

pytestmark = pytest.mark.journey

TUTORIALS = Path(__file__).parents[2] / "docs" / "tutorial"
PAGE = TUTORIALS / "first-rehearsal.md"
FENCES = [
    (token.info, token.content)
    for token in MarkdownIt("commonmark").parse(PAGE.read_text("utf-8"))
    if token.type == "fence"
]


def fence(start: str) -> tuple[list[str], list[str]]:
    """Return the commands and the other lines of the one block that starts with a text."""
    (content,) = [content for _, content in FENCES if content.startswith(start)]
    lines = content.splitlines()
    commands = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    return commands, [comparable(line) for line in lines if not line.startswith("$ ")]


def run(repo: Repo, command: str) -> tuple[int, list[str]]:
    """Run a command in the checkout with unmoor on PATH; return its exit code and what it printed."""
    return Reader(folder=repo.path).run(shlex.split(command))


@pytest.fixture
def shop(tmp_path: Path) -> Repo:
    """Make the project of the tutorial, with its version in line 7 of pyproject.toml."""
    pyproject = PYPROJECT.format(name="shop-demo-newcomer", version="1.0.0").replace("\n\n", "\n", 1)
    files = {"pyproject.toml": pyproject, "own.py": BACKEND, "src/shop_demo/__init__.py": "price = 2\n"}
    return Repo.new(tmp_path / "shop", files)


def test_a_rehearsal_prints_what_the_tutorial_shows(shop: Repo) -> None:
    """It starts with the lines of the page, ends with its table, says that no tests ran, and changes no checkout."""
    commit = shop.git("rev-parse", "HEAD")
    (command,), first = fence("$ unmoor rehearse")
    code, printed = run(shop, command)
    assert code == 0, printed
    assert printed[: len(first)] == first
    _, table = fence("surface")
    assert [line for line in printed if line in table] == table
    assert any("prove-dists" in line and "not tested" in line for line in printed)
    assert (shop.git("rev-parse", "HEAD"), shop.git("tag"), shop.git("status", "--short")) == (commit, "", "")


def test_a_project_that_does_not_import_fails_as_the_tutorial_shows(shop: Repo) -> None:
    """The failed rehearsal prints the page's error and next step, one after the other."""
    shop.commit({"src/shop_demo/__init__.py": "broken\n"})
    _, expected = fence("prove-dists failed")
    code, printed = run(shop, "unmoor rehearse")
    assert code != 0
    start = printed.index(expected[0])
    assert printed[start : start + len(expected)] == expected


def test_a_world_takes_a_release_as_the_tutorial_shows(shop: Repo) -> None:
    """The world starts with the lines of the page, its commands release and compare, and cleaning up leaves nothing."""
    _, expected = fence("$ unmoor world up")
    commands, _ = fence("$ git tag")
    with subprocess.Popen(
        [UNMOOR, "world", "up"], cwd=shop.path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as world:
        try:
            assert world.stdout is not None
            assert [comparable(world.stdout.readline().rstrip()) for _ in expected] == expected
            for command in commands:
                code, printed = run(shop, command)
                assert code == 0, (command, printed)
        finally:
            world.send_signal(signal.SIGINT)
            world.communicate(timeout=PATIENCE)
    clean_up = re.findall(r"`(git tag -d [^`]+|rm -r [^`]+)`", PAGE.read_text("utf-8"))
    assert len(clean_up) == 2
    assert [run(shop, command)[0] for command in clean_up] == [0, 0]
    assert shop.git("tag") == shop.git("status", "--short", "--ignored") == ""


def _index_with_unmoor(folder: Path) -> Path:
    """Make a folder that uv finds the running version of unmoor in, as the index has a released one."""
    folder.mkdir()
    info = f"unmoor-{__version__}.dist-info"
    with zipfile.ZipFile(folder / f"unmoor-{__version__}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: unmoor\nVersion: {__version__}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return folder


@pytest.mark.timeout(900)
def test_from_nothing_to_released(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file is written and every command run, word by word, from an empty folder to a released tag."""
    links = [os.environ.get("UV_FIND_LINKS", ""), str(_index_with_unmoor(tmp_path / "index"))]
    monkeypatch.setenv("UV_FIND_LINKS", ",".join(filter(None, links)))
    (tmp_path / "empty").mkdir()
    with Reader(folder=tmp_path / "empty") as reader:
        assert reader.follow(TUTORIALS / "nothing-to-released.md") > 12
        code, printed = reader.run(["unmoor", "release", "--world", ".unmoor/world/world.toml", "v0.1.0"])
        assert code == 0, printed
        assert not [line for line in printed if "sending" in line]
        assert reader.run(["git", "status", "--short"]) == (0, [])
