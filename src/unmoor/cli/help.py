"""How help is laid out: many options in groups, and examples line by line, alike in every command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import click


def examples(*lines: str) -> str:
    r"""Write an epilog of examples, which click would else fill into one paragraph (``\b`` says not to)."""
    return "\n".join(("\b", "For example:", *(f"  {line}" for line in lines)))


class GroupedCommand(click.Command):
    """A command with many options: ``groups`` says, by the names of parameters, which belong together."""

    groups: ClassVar[Mapping[str, Sequence[str]]] = {}

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the groups one after the other, and then what is in none."""
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
