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
        help="Settings from this file instead of the tag's own commit; the manifest records it.",
    )(function)
