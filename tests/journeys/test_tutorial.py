"""The tutorial works as written: its commands run, and print the lines that it shows."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from tests.support.git_repos import Repo
from tests.support.local_release import UNMOOR
from tests.support.sample_projects import BACKEND, PYPROJECT

pytestmark = pytest.mark.journey

PAGE = Path(__file__).parents[2] / "docs" / "tutorial" / "first-rehearsal.md"
FENCES = [
    (token.info, token.content)
    for token in MarkdownIt("commonmark").parse(PAGE.read_text("utf-8"))
    if token.type == "fence"
]
PATIENCE = 120


def fence(start: str) -> tuple[list[str], list[str]]:
    """Return the commands and the other lines of the one block that starts with a text."""
    (content,) = [content for _, content in FENCES if content.startswith(start)]
    lines = content.splitlines()
    commands = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    return commands, [comparable(line) for line in lines if not line.startswith("$ ")]


def comparable(line: str) -> str:
    """Replace what differs from run to run: digests, commits and the folder above ``.unmoor``."""
    line = re.sub(r"\b[0-9a-f]{8,64}\b…?", "HEX", line)
    return re.sub(r"/\S*(?=/\.unmoor/)", "FOLDER", line)


def run(repo: Repo, command: str) -> tuple[int, list[str]]:
    """Run a command in the checkout with unmoor on PATH; return its exit code and what it printed."""
    path = f"{UNMOOR.parent}{os.pathsep}{os.environ['PATH']}"
    ran = subprocess.run(
        shlex.split(command),
        cwd=repo.path,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return ran.returncode, [comparable(line) for line in ran.stdout.splitlines()]


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
