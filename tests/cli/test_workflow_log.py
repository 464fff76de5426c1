"""What is printed in GitHub Actions holds no workflow command but our own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from tests.support.git_repos import Repo

from unmoor.advice import NextStep
from unmoor.cli import exit_codes, output, workflow_log
from unmoor.core.events import StageSaid, StageWarned
from unmoor.errors import Refused
from unmoor.render.document import JsonLines
from unmoor.render.plain import Plain

ACTIONS = {"GITHUB_ACTIONS": "true"}
EVIL = "##[set-output name=x]y"


def warn() -> None:
    """Print what click, Python and listeners print."""
    click.echo(f"said: {EVIL}")
    click.echo(f"::warning::{EVIL}", err=True)


def print_in_parts() -> None:
    """Print a command in several calls."""
    for part in (":", ":set-", "output name=x::y", "\n", " #", "#[x]"):
        sys.stdout.write(part)
        sys.stdout.flush()


def show_error() -> None:
    """Print the message of an error, of several lines."""
    exit_codes.show(Refused(f"{EVIL}\n  ::add-mask::x", next_step=NextStep(f"::x:: {EVIL}")))


def show_progress() -> None:
    """Print plain progress and JSON lines."""
    for listener in (Plain(output.err), JsonLines(output.err)):
        listener(StageSaid(stage="::a::", text=EVIL))
        listener(StageWarned(stage="tag", text=EVIL))


def show_table() -> None:
    """Print a table."""
    for line in output.align_columns(("what",), [("::debug::x",), (EVIL,)]):
        click.echo(line)


@pytest.mark.parametrize("print_it", [warn, print_in_parts, show_error, show_progress, show_table])
def test_nothing_from_outside_is_a_command(print_it: Callable[[], None], capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever prints it, on stdout or stderr, in one call or in several."""
    with workflow_log.plain_text(ACTIONS):
        print_it()
    printed = "\n".join(capsys.readouterr())
    lines = [line.strip() for line in printed.splitlines()]
    assert not [line for line in lines if line.startswith("::") or "##[" in line]
    assert r"\u0023#[" in printed
    with workflow_log.plain_text({}):
        print_it()
    assert "##[" in "".join(capsys.readouterr())


def test_our_own_commands_are_commands(capsys: pytest.CaptureFixture[str]) -> None:
    """An annotation gets through, on a line of its own."""
    with workflow_log.plain_text(ACTIONS):
        sys.stderr.write("half")
        workflow_log.command("::error title=tag::x")
        sys.stderr.write("::error::y")
    assert capsys.readouterr().err == "half\n::error title=tag::x\n\\u003a:error::y"


def test_a_file_gets_the_exact_text(tmp_path: Path) -> None:
    """Output that is redirected to a file stays as it is; through a pipe, JSON keeps its meaning."""
    notes = f"## 1.0.0\n\n```\n::set-output name=x::y\n{EVIL}\n```\n"
    repo = Repo.new(
        tmp_path / "demo",
        {"CHANGELOG.md": notes, "pyproject.toml": '[project]\nname = "demo"\nversion = "1.0.0"\n'},
    )
    repo.git("tag", "v1.0.0")
    command = [sys.executable, "-m", "unmoor", "notes", "--directory", str(repo.path), "v1.0.0"]
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), **ACTIONS}
    with (tmp_path / "notes.md").open("wb") as file:
        subprocess.run(command, env=environ, check=True, stdout=file, stderr=subprocess.PIPE)
    assert (tmp_path / "notes.md").read_text() == "```\n::set-output name=x::y\n##[set-output name=x]y\n```\n"
    piped = subprocess.run(command, env=environ, check=True, capture_output=True, text=True)
    assert piped.stdout == "```\n\\u003a:set-output name=x::y\n\\u0023#[set-output name=x]y\n```\n"
