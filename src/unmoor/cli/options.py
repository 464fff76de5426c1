"""Options that more than one command has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click


def config_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the option that names a file of settings."""
    return click.option(
        "--config",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Settings from this file instead of the tag's own commit; the manifest of a release records it.",
    )(function)


def directory_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the option that names the checkout."""
    return click.option(
        "--directory",
        "folder",
        type=click.Path(path_type=Path, file_okay=False),
        default=Path(),
        show_default="the current folder",
        help="The project's checkout.",
    )(function)


def path_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the option that names the project's folder in the repository."""
    return click.option(
        "--path",
        metavar="DIR",
        help="The project's folder in the repository, from its top.  [default: the nearest project at or above the"
        " current folder, or what the settings at the top say]",
    )(function)


def world_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the option that names the world."""
    return click.option(
        "--world",
        type=click.Path(path_type=Path, dir_okay=False),
        help="The world that this file describes, instead of the real one.",
    )(function)


def json_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the option for machine-readable output."""
    return click.option("--json", "as_json", is_flag=True, help="Write the result to stdout as JSON.")(function)
