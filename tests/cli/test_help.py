"""The help of every command is complete, and its examples are valid."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import click
import pytest

from unmoor.cli.app import COMMANDS, cli


def _commands() -> Iterator[tuple[str, click.Command]]:
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            yield from ((f"{name} {inner}", each) for inner, each in command.commands.items())


every_command = pytest.mark.parametrize(
    ("name", "command"), [pytest.param(name, command, id=name.replace(" ", "-")) for name, command in _commands()]
)


def _help(name: str, command: click.Command) -> str:
    return command.get_help(click.Context(command, info_name=f"unmoor {name}", terminal_width=100))


@every_command
def test_every_option_is_explained_once(name: str, command: click.Command) -> None:
    """The help shows every option exactly once, and explains each."""
    shown = re.findall(r"^  (?:-\w, )?(--[a-z0-9-]+)(?= )", _help(name, command), re.MULTILINE)
    context = click.Context(command)
    assert sorted(shown) == sorted(
        max(each.opts, key=len) for each in command.get_params(context) if each.opts[0][0] == "-"
    )
    assert [each.opts for each in command.params if isinstance(each, click.Option) and not each.help] == []


@every_command
def test_examples_use_options_that_exist(name: str, command: click.Command) -> None:
    """The help of a command ends with examples of that command, one a line."""
    text = _help(name, command)
    assert "\\b" not in text
    if isinstance(command, click.Group):
        return
    lines = text.partition("Examples:\n")[2].splitlines()
    own = [line for line in lines if line.startswith(f"    unmoor {name}")]
    assert own, "no example"
    known = {option for param in command.params for option in param.opts}
    for line in own:
        assert {word for word in shlex.split(line) if word.startswith("--")} <= known


WORLD = {"--world", "--from-world"}


@every_command
def test_a_world_can_be_named_by_a_variable(name: str, command: click.Command) -> None:
    """A command that reads a world file takes it from ``UNMOOR_WORLD`` too: scripts run unchanged in a world."""
    options = [each for each in command.params if WORLD & set(each.opts)]
    assert [each.envvar for each in options] == ["UNMOOR_WORLD"] * len(options), name


def test_some_commands_read_a_world() -> None:
    """The commands of a release do."""
    reading = {name for name, command in _commands() for each in command.params if WORLD & set(each.opts)}
    assert reading >= {"plan", "release", "status", "undo", "verify"}
