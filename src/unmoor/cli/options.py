"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Final

import click

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

directory_option: Final[Decorator] = click.option(
    "--directory",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    show_default="the current directory",
    help="The checkout of the project.",
)
_PATH: Final[Decorator] = click.option(
    "--path",
    metavar="DIR",
    help="The directory of the project, relative to the top of the repository.  [default: the nearest project in the"
    " current directory or above, or the one that the settings at the top name]",
)
_WORLD: Final[Decorator] = click.option(
    "--world",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Use the servers in this world file instead of the real ones.",
)
_CONFIG: Final[Decorator] = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Read the settings from this file instead of the tag's commit. A release records this in its manifest.",
)
json_option: Final[Decorator] = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


def target_options(*, tag: bool = True, world: bool = True, config: bool = True) -> Decorator:
    """Add the options that say what a command works on. The command gets them as one `TargetOptions`, ``target``.

    Adds ``--directory`` and ``--path``, and the argument TAG, ``--world`` and ``--config`` unless they are turned off.
    """
    options: list[Decorator] = [
        *([_CONFIG] if config else []),
        *([_WORLD] if world else []),
        _PATH,
        directory_option,
        *([click.argument("tag", required=False)] if tag else []),
    ]

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def command(**values: Any) -> Any:
            from dataclasses import fields

            from unmoor.cli.run_options import TargetOptions

            names = [each.name for each in fields(TargetOptions) if each.name in values]
            target = TargetOptions(**{name: values.pop(name) for name in names})
            return function(target=target, **values)

        decorated: Callable[..., Any] = command
        for option in options:  # click lists the last decorator first
            decorated = option(decorated)
        return decorated

    return decorate
