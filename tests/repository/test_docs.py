"""Links, commands, options and workflows in the documentation are valid."""

from __future__ import annotations

import functools
import re
import shlex
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token
from ruamel.yaml import YAML

from unmoor.cli.app import cli

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "changelog.d").glob("README.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "examples").glob("*/README.md"),
    ]
)
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


@functools.cache
def _tokens(page: Path) -> list[Token]:
    tokens = MarkdownIt("commonmark").enable("table").parse(page.read_text("utf-8"))
    return [inner for token in tokens for inner in (token, *(token.children or ()))]


def _links(page: Path) -> list[str]:
    found = [token.attrGet("href") or token.attrGet("src") for token in _tokens(page)]
    return [str(link) for link in found if link]


@functools.cache
def _anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub makes of the headings of a page."""
    tokens = MarkdownIt("commonmark").parse(page.read_text("utf-8"))
    headings = [after.content for token, after in pairwise(tokens) if token.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", text).lower()).replace(" ", "-") for text in headings}


@every_page
def test_every_link_leads_somewhere(page: Path) -> None:
    """Each relative link leads to a file or folder of the repository, and each anchor to a heading."""
    broken = []
    for link in _links(page):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if (
            not target.exists()
            or not target.is_relative_to(ROOT)
            or (anchor and target.suffix == ".md" and anchor not in _anchors(target))
        ):
            broken.append(link)
    assert broken == []


@every_page
def test_a_page_begins_with_its_title(page: Path) -> None:
    """A page has one heading of the first level, at the top."""
    levels = [token.tag for token in _tokens(page) if token.type == "heading_open"]
    assert levels[:1] == ["h1"]
    assert levels.count("h1") == 1


@every_page
def test_a_page_names_targets_that_exist(page: Path) -> None:
    """Each `make` target that a page shows exists."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    snippets = [token.content for token in _tokens(page) if token.type in {"fence", "code_block", "code_inline"}]
    named = {name for code in snippets for name in re.findall(r"^(?:\$ )?make ([a-z-]+)", code, re.MULTILINE)}
    assert named <= targets


@every_page
def test_a_page_shows_options_that_are_there(page: Path) -> None:
    """Each command line that a page shows has options that the command knows."""
    snippets = [token.content for token in _tokens(page) if token.type in {"fence", "code_inline"}]
    lines = [
        line
        for code in snippets
        for line in re.findall(r"^(?:\$ )?(?:[A-Z_]+=\S+ )?(unmoor [^#\n]*)", code, re.MULTILINE)
    ]
    unknown = [line for line in lines if not _known(line.split())]
    assert unknown == []


def _known(words: list[str]) -> bool:
    command: click.Command = cli
    while isinstance(command, click.Group) and len(words) > 1 and not words[1].startswith("-"):
        found = command.get_command(click.Context(command), words.pop(1))
        if found is None:
            return False
        command = found
    known = {option for param in command.get_params(click.Context(command)) for option in param.opts}
    return {word.split("=")[0] for word in words[1:] if word.startswith("-")} <= known | {"--"}


def _workflows() -> list[tuple[str, dict[str, Any]]]:
    """Return every complete workflow that a page shows."""
    fences = [
        (page.name, token.content)
        for page in PAGES
        if "runs-on:" in page.read_text("utf-8")
        for token in _tokens(page)
        if token.type == "fence" and token.info == "yaml" and "runs-on:" in token.content
    ]
    return [(name, YAML(typ="safe", pure=True).load(text)) for name, text in fences]


@pytest.mark.parametrize("workflow", [pytest.param(each, id=name) for name, each in _workflows()])
def test_a_workflow_calls_commands_that_are_there(workflow: dict[str, Any]) -> None:
    """Each command of a workflow has options that the command knows, and every action is pinned."""
    seen = 0
    for job in workflow["jobs"].values():
        for step in job["steps"]:
            assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", step.get("uses", "a/b@" + "0" * 40))
            words = shlex.split(step.get("run", ""))
            if "unmoor" in words and words[:2] != ["python", "-m"]:
                words = words[words.index("unmoor") :]
                command = cli.get_command(click.Context(cli), words[1])
                assert command is not None, words
                # The folders that it names are those of another machine.
                known = {"--", *(option for param in command.params for option in param.opts)}
                assert {word for word in words[2:] if word.startswith("-")} <= known
                seen += 1
    assert seen
