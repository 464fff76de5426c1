"""The layout of help: options in groups, and one example a line, the same way for every command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import click


def examples(*lines: str) -> str:
    r"""Return an epilog with one example a line. ``\b`` stops click from wrapping the lines into one paragraph."""
    return "\n".join(("\b", "Examples:", *(f"  {line}" for line in lines)))


class GroupedCommand(click.Command):
    """A command whose help shows options in groups. ``groups`` maps a title to the names of its parameters."""

    groups: ClassVar[Mapping[str, Sequence[str]]] = {}

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the groups in order, then the options that are in no group."""
        left = {
            str(param.name): record
            for param in self.get_params(ctx)
            if isinstance(param, click.Option) and (record := param.get_help_record(ctx)) is not None
        }
        for title, names in self.groups.items():
            with formatter.section(title):
                formatter.write_dl([left.pop(name) for name in names])
        with formatter.section("Other options"):
            formatter.write_dl(list(left.values()))
