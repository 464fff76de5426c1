"""Write the reference pages that are generated from the code. ``--check`` only names those that are out of date."""

from __future__ import annotations

import sys
from collections.abc import Container
from pathlib import Path

import click
from tests.support.unused_services import unused_pipeline
from tools import advice_pages, faults_page, metrics_page

from unmoor import errors
from unmoor.checks.model import CheckGroup
from unmoor.checks.registry import CHECKS
from unmoor.cli.app import COMMANDS, cli
from unmoor.config.images import ImageSettings
from unmoor.config.settings import Settings
from unmoor.core.stage import Publish, Push
from unmoor.project.test_needs.choose import SOURCES

HERE = Path(__file__).parent.parent / "docs" / "reference"


def exit_codes() -> str:
    """Return the page with one row for each kind of failure."""
    rows = [("0", "done", "everything that was requested is there and was read back")]
    rows.append(("1", "to change", "`unmoor init --check`: something would change"))
    rows.append(("2", "usage", "the command line was wrong: an unknown command or option"))
    rows.extend(
        (str(error.exit_code), error.kind, _in_a_row((error.__doc__ or "").splitlines()[0]))
        for error in errors.error_classes()[1:]
    )
    rows.append(("129, 143", "interrupted", "the same, by the signals HUP and TERM: their numbers and 128"))
    head = (
        "# Exit codes\n\nEach kind of failure has its own exit code. If several stages fail, the first one decides.\n\n"
    )
    lines = ["| code | kind | meaning |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)]
    return head + "\n".join(lines) + "\n"


def _in_a_row(sentence: str) -> str:
    """Return the first sentence of a docstring in the style of the other rows: lower case, no full stop."""
    words = sentence.rstrip(".").replace("``", "`")
    return words[:1].lower() + words[1:]


def commands() -> str:
    """Return the page with the help of each command."""
    parts = ["# Commands\n\nCommands write data to stdout and messages to stderr. Every command has `--help`.\n"]
    context = click.Context(cli, info_name="unmoor", terminal_width=100, **cli.context_settings)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        parts += _help(command, click.Context(command, info_name=name, parent=context, terminal_width=100))
    return "\n".join(parts)


def _help(command: click.Command, context: click.Context) -> list[str]:
    parts = [f"## `{context.command_path}`\n", "```text", command.get_help(context).rstrip(), "```\n"]
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            parts += _help(inner, click.Context(inner, info_name=name, parent=context, terminal_width=100))
    return parts


def stages() -> str:
    """Return the page with one row for each stage, in order."""
    head = (
        "# Stages\n\nThe stages in the order of a release. Stages for images run only if the project has images,\n"
        "`sign-sums` only with `sign-with`.\n"
        "`reads` and `waits for` name other stages; a stage starts as soon as those are done.\n\n"
        "| stage | reach | what it does | reads | waits for | can be taken back |\n"
        "|---|---|---|---|---|---|\n"
    )
    rows = []
    for stage in unused_pipeline(Settings(sign_with="ssh:KEY"), images=(ImageSettings(),)):
        back = "yes, or `undo` says why not" if isinstance(stage, Push) else "no" if isinstance(stage, Publish) else "-"
        reads = ", ".join(output.by for output in stage.inputs) or "-"
        waits = ", ".join(output.by for output in stage.after if output not in stage.inputs) or "-"
        rows.append(f"| `{stage.name}` | {stage.reach.name} | {stage.plan()} | {reads} | {waits} | {back} |\n")
    return head + "".join(rows)


def tests_page() -> str:
    """Return the how-to on tests, with one row for each place that declares what tests need."""
    rows = "\n".join(f"| {number} | {place} |" for number, place in enumerate(SOURCES, start=1))
    page = (HERE.parent / "how-to" / "tests.md").read_text()
    before, _, rest = page.partition("<!-- sources -->\n")
    table = f"| order | place |\n|---|---|\n{rows}\n"
    return f"{before}<!-- sources -->\n{table}<!-- end sources -->{rest.partition('<!-- end sources -->')[2]}"


def repository_checks() -> str:
    """Return the page with a section for each check of a repository."""
    groups = {
        CheckGroup.FAST: "Fast: `unmoor check`\n\nThese always run. They need no network, import nothing and run no"
        " code of the project.",
        CheckGroup.FULL: "Full: `--full`\n\nThese install, import and build the project.",
        CheckGroup.ACCESS: "Access: `--access`\n\nThese ask the forge and the indexes, and only read. What only an"
        " administrator may see is *unknown* to anybody else.",
        CheckGroup.COVERAGE: "Coverage: `--coverage FILE`\n\nThese read a report of coverage.py.",
    }
    intro = (
        "# Checks of a repository\n\n`unmoor check` runs these checks; [Check a repository](../how-to/check.md) says"
        " how to use it. A *critical* check that finds something fails the command with exit code 4, and one with the"
        " level *warning* never does. A check that cannot answer is *unknown* (exit code 10), which is no pass. One"
        " with nothing to look at is *skipped*. For the rules of built files, see [checks](checks.md).\n"
    )
    parts = [intro]
    for group, head in groups.items():
        found = [each for each in CHECKS if each.group is group]
        parts += [f"## {head}\n"] if found else []
        for each in found:
            parts.append(f"### `{each.id}`\n\n{each.title}.\n")
            rows = {"level": each.level, "reads": each.reads, "what to do": each.remedy}
            parts.append("| | |\n|---|---|\n" + "".join(f"| {key} | {text} |\n" for key, text in rows.items()))
    return "\n".join(parts)


PAGES = {
    "metrics-schema.md": metrics_page.page,
    "../how-to/tests.md": tests_page,
    "exit-codes.md": exit_codes,
    "faults.md": faults_page.page,
    "commands.md": commands,
    "repository-checks.md": repository_checks,
    "stages.md": stages,
}


def texts() -> dict[str, str]:
    """Return the text of every page by its name."""
    return {name: page() for name, page in PAGES.items()} | advice_pages.pages()


def left_over(names: Container[str]) -> list[Path]:
    """Return the pages of advice whose group is gone."""
    found = sorted((HERE / advice_pages.FOLDER).glob("*.md"))
    return [page for page in found if page.relative_to(HERE).as_posix() not in names]


def stale() -> list[str]:
    """Return the names of the pages that differ from the code, or that nothing makes."""
    pages = texts()
    differ = [name for name, text in pages.items() if not (HERE / name).exists() or (HERE / name).read_text() != text]
    return differ + [page.relative_to(HERE).as_posix() for page in left_over(pages)]


def main() -> int:
    """Write the pages, or check them. Returns 1 if a page is out of date."""
    if "--check" in sys.argv[1:]:
        for name in (found := stale()):
            sys.stderr.write(f"docs/reference/{name} is out of date: run `make docs`\n")
        return 1 if found else 0
    pages = texts()
    for page in left_over(pages):
        page.unlink()
    for name, text in pages.items():
        (HERE / name).parent.mkdir(exist_ok=True)
        (HERE / name).write_text(text, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
