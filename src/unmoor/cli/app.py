"""The commands by name. A command's module is imported only when the command is called, which keeps ``--help`` fast.

A command's module holds only its options and its help. The function that runs the command imports the rest, from a
``…_run`` module if that is long, so ``unmoor COMMAND --help`` is fast too.
"""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Iterator, Sequence
from typing import Any

import click

COMMANDS = {
    "init": "Propose what a repository needs to be released.",
    "check": "Check a repository before a commit or a release.",
    "rehearse": "Run a whole release against servers on this machine.",
    "plan": "Show what a release would do, without changing anything.",
    "release": "Release a tag, or continue a release that failed.",
    "deploy": "Deploy documentation, a Space or a service of a release.",
    "sync": "Deploy the files of a commit that is no release.",
    "status": "Compare what is published with the manifest, by digest.",
    "report": "Show a release: what is where, tests, images, signatures.",
    "watch": "Find releases that drifted: stopped, changed, yanked, stale.",
    "verify": "Check what anybody can download of a release: bytes, signatures, origin.",
    "verify-rebuild": "Build a published release again, and compare the bytes.",
    "protect": "Protect the default branch and the release tags (a dry run without --apply).",
    "workflows": "Write, check and list the workflows of GitHub Actions.",
    "metrics": "Keep figures of runs and measurements, and judge them.",
    "bench": "Compare the benchmarks of two commits.",
    "cut": "Write the next version, commit, tag and push it.",
    "announce": "Tell people of a release, once.",
    "scan": "Scan built files for secrets and known vulnerabilities.",
    "deps": "Update uv.lock to what passes the tests, and propose it.",
    "notes": "Print the release notes exactly as they would be published.",
    "undo": "Take back what a release published, as far as possible.",
    "clean": "Delete images, artifacts and caches that nothing needs (a dry run without --apply).",
    "world": "Run local indexes, a GitHub API, a registry and a git remote.",
    "images": "Build and test the images of a branch or pull request.",
    "image-tags": "Print the tags, labels and annotations that an image gets.",
    "doctor": "Report this machine, without secrets, in one block to paste.",
    "explain": "Explain the advice of an error: cause, what is public, what to do.",
    "schema": "Print a JSON schema: plan, manifest, settings or world.",
}

EPILOG = """
\b
Rehearse a release, in the checkout of any Python project:
  unmoor rehearse
Release a tag that you have pushed:
  unmoor release v1.2.3

The exit code is 0 for success, 2 for wrong usage, and another number for each kind of
failure (docs/reference/exit-codes.md).
"""


@contextlib.contextmanager
def _stoppable() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        raise click.Abort from None


class LazyGroup(click.Group):
    """A group that imports the module of a command when the command is called."""

    def make_context(self, *args: Any, **options: Any) -> click.Context:
        """Parse the arguments. A stop ends as `click.Abort`: click would print an empty line for it."""
        with _stoppable():
            return super().make_context(*args, **options)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. A stop ends as above."""
        with _stoppable():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, the ones for beginners first."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command. Return ``None`` if there is no command of that name."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        import importlib

        command = importlib.import_module(f"unmoor.cli.{cmd_name.replace('-', '_')}").command
        assert isinstance(command, click.Command)  # noqa: S101 - a bug in unmoor, which a test would find
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Find the command that the arguments name. Suggest a similar one if there is none."""
        near = difflib.get_close_matches(args[0], COMMANDS, n=1)
        if args[0] not in COMMANDS and near:
            ctx.fail(f"No such command {args[0]!r}. Did you mean {near[0]!r}?")
        return super().resolve_command(ctx, args)


@click.group(
    cls=LazyGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="unmoor", message="unmoor %(version)s")
def cli() -> None:
    """Release a Python project from a git tag.

    unmoor builds a wheel, an sdist and container images, tests them, and publishes the tested files
    to a package index, to container registries and to a GitHub release. If a release fails, run the
    same command again: it continues from what is already there.
    """


def run(args: Sequence[str]) -> int:
    """Run the command line and return the exit code. Errors become messages here and nowhere else."""
    import os

    from unmoor.cli import exit_codes, streams, workflow_log

    streams.prepare_streams(os.environ)
    with workflow_log.plain_text(os.environ):
        return exit_codes.guard(lambda: cli.main(args=list(args), prog_name="unmoor", standalone_mode=False))
