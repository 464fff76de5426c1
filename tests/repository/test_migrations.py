"""The pages about other tools: every command of unmoor in their tables parses, and every setting is one."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from tests.support.doc_tables import cells

from unmoor.cli.app import cli
from unmoor.config.settings import resolve

PAGES = sorted((Path(__file__).parents[2] / "docs" / "how-to").glob("migrate-from-*.md"))
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem.removeprefix("migrate-from-"))
_SETTING = re.compile(r"[a-z-]+ = ")


def _spans(page: Path) -> Iterator[tuple[str, str]]:
    """Yield each code span in the column of unmoor, with the table of settings that the cell names."""
    for row in cells(page):
        spans = [token.content for token in row[-1].children or () if token.type == "code_inline"]
        table = next((each for each in spans if each.startswith("[")), "[tool.unmoor]")
        yield from ((table, each) for each in spans)


def _commands(page: Path) -> list[str]:
    fenced = re.findall(r"^\$ (unmoor [^#\n]*)", page.read_text("utf-8"), re.MULTILINE)
    return [*fenced, *(span for _, span in _spans(page) if span.startswith("unmoor "))]


def _parse(words: list[str]) -> None:
    """Parse the words after ``unmoor`` without running anything. Raises click's errors."""
    command: click.Command = cli
    context = click.Context(cli)
    while isinstance(command, click.Group):
        found = command.get_command(context, words[0])
        if found is None:
            raise click.UsageError(f"no such command: {words[0]}")
        command, words = found, words[1:]
        context = click.Context(command, parent=context)
    _, left, _ = command.make_parser(context).parse_args(words)
    if left:
        raise click.UsageError(f"extra arguments: {left}")


def test_there_is_a_page_for_each_tool() -> None:
    """The tools that people come from."""
    assert [page.stem.removeprefix("migrate-from-") for page in PAGES] == [
        "bump-my-version",
        "publish-action",
        "python-semantic-release",
        "release-please",
        "zest-releaser",
    ]


@every_page
def test_every_command_parses(page: Path) -> None:
    """A command of unmoor exists, and takes the options and arguments that the page shows."""
    commands = _commands(page)
    assert commands
    wrong = []
    for each in commands:
        try:
            _parse(shlex.split(each)[1:])
        except click.UsageError as error:
            wrong.append(f"{each}: {error.message}")
    assert wrong == []


@every_page
def test_every_setting_is_one(page: Path) -> None:
    """A setting exists in the table that the page names, and takes that value."""
    settings = [(table, span) for table, span in _spans(page) if _SETTING.match(span)]
    assert settings
    for table, span in settings:
        resolve({"pyproject.toml": f"{table}\n{span}\n".encode()}.get)


@every_page
def test_every_row_has_an_answer(page: Path) -> None:
    """A row without one would leave a reader where they were."""
    rows = cells(page)
    assert len(rows) > 10
    assert [row for row in rows if len(row) != 2 or not all(cell.content.strip() for cell in row)] == []
