"""Options that more than one command has."""

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
    show_default="the current folder",
    help="The project's checkout.",
)
_PATH: Final[Decorator] = click.option(
    "--path",
    metavar="DIR",
    help="The project's folder in the repository, from its top.  [default: the nearest project at or above the"
    " current folder, or what the settings at the top say]",
)
_WORLD: Final[Decorator] = click.option(
    "--world",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The world that this file describes, instead of the real one.",
)
_CONFIG: Final[Decorator] = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Settings from this file instead of the tag's own commit; the manifest of a release records it.",
)
json_option: Final[Decorator] = click.option(
    "--json", "as_json", is_flag=True, help="Write the result to stdout as JSON."
)


def target_options(*, tag: bool = True, world: bool = True, config: bool = True) -> Decorator:
    """Add the argument and the options that say what a command is about; it takes them as ``target``, one value.

    ``--directory`` and ``--path`` always, TAG, ``--world`` and ``--config`` unless they are left out.
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
        def command(**given: Any) -> Any:
            from dataclasses import fields

            from unmoor.cli.run_options import TargetOptions

            names = [each.name for each in fields(TargetOptions) if each.name in given]
            target = TargetOptions(**{name: given.pop(name) for name in names})
            return function(target=target, **given)

        decorated: Callable[..., Any] = command
        for option in options:  # click lists the last one first
            decorated = option(decorated)
        return decorated

    return decorate
