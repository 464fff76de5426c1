"""The commands by name. Each is imported only when it is called, so that ``--help`` is quick.

The module of a command holds its flags and its help, and imports what it runs in the function that runs it: a
``…_run`` module where that is long. So ``unmoor COMMAND --help`` is quick, too.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

import click

COMMANDS = {
    "rehearse": "Release into a local world: every stage, the irreversible ones too.",
    "plan": "Say what a release would do, and what is already true. Reads only.",
    "release": "Release a tag. Run it again after a failure: it goes on from what is there.",
    "status": "Compare every surface with the manifest, by digest.",
    "notes": "Print the release notes exactly as they would be published.",
    "undo": "Take back what can be taken back, and say what cannot.",
    "clean": "Delete what builds left on registries and no tag needs. Dry without --apply.",
    "world": "Run a local world of your own: indexes, a GitHub API, a registry, a git remote.",
    "image-tags": "Say which tags, labels and annotations an image gets.",
    "schema": "Print a JSON schema: plan, manifest, settings or world.",
}

EPILOG = """
\b
A first rehearsal, in the checkout of any Python project:
  unmoor rehearse
The real thing, after pushing the tag (or in GitHub Actions, on the push itself):
  unmoor release v1.2.3

Exit codes: 0 done and verified, 2 wrong usage, others one per kind of failure
(docs/reference/exit-codes.md).
"""


class LazyGroup(click.Group):
    """A group whose commands live in modules of their own, one a name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands, in the order people meet them."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the one command that is asked for."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        import importlib

        command = importlib.import_module(f"unmoor.cli.{cmd_name.replace('-', '_')}").command
        assert isinstance(command, click.Command)  # noqa: S101 - a fault of ours, and a test would see it
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Suggest a command for a misspelt one."""
        near = difflib.get_close_matches(args[0], COMMANDS, n=1)
        if args[0] not in COMMANDS and near:
            ctx.fail(f"No such command {args[0]!r}. Did you mean {near[0]!r}?")
        return super().resolve_command(ctx, args)


@click.group(
    cls=LazyGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="unmoor", message="unmoor %(version)s")
def cli() -> None:
    """Release a Python project: the bytes that were tested, on every surface or on none.

    One tag in; a wheel and an sdist on the package index, container images and a GitHub release with
    notes out. Whatever dies on the way, the same command goes on from what is there.
    """


def run(args: Sequence[str]) -> int:
    """Run the command line and return the exit code: the single place where errors end."""
    from unmoor.cli import exit_codes

    return exit_codes.guard(lambda: cli.main(args=list(args), prog_name="unmoor", standalone_mode=False))
