"""Write the reference pages that are generated from the code. ``--check`` only names those that are out of date."""

from __future__ import annotations

import ast
import string
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import click
from tests.support.unused_services import unused_pipeline

from unmoor import advice, errors
from unmoor.cli.app import COMMANDS, cli
from unmoor.config.images import ImageSettings
from unmoor.config.settings import Settings
from unmoor.core.stage import Publish, Push
from unmoor.project.test_needs.choose import SOURCES

HERE = Path(__file__).parent.parent / "docs" / "reference"


def exit_codes() -> str:
    """Return the page with one row for each kind of failure."""
    rows = [("0", "done", "everything that was requested is there and was read back")]
    rows.append(("2", "usage", "the command line was wrong: an unknown command or option"))
    rows.extend(
        (str(error.exit_code), error.kind, _in_a_row((error.__doc__ or "").splitlines()[0]))
        for error in errors.error_classes()[1:]
    )
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


def advice_page() -> str:
    """Return the page with one row for each entry of the catalogue of advice."""
    head = (
        "# Advice\n\nEvery error says what to do next. Each piece of advice has an id that stays the same: programs\n"
        "find it as `advice` in the JSON document of a run and in the journal, in the order of the text. Words in\n"
        "braces stand for a value. The last two columns are the [exit codes](exit-codes.md) and the modules that\n"
        "it comes with; `-` is any code.\n\n"
        "| id | advice | exit codes | raised in |\n"
        "|---|---|---|---|\n"
    )
    uses = dict(advice_uses())
    rows = []
    for entry in advice.catalogue():
        modules, codes = uses.get(entry.id, (set(), set()))
        listed = ", ".join(map(str, sorted(codes))) or "-"
        rows.append(
            f"| `{entry.id}` | {_cell(entry)} | {listed} | {', '.join(f'`{each}`' for each in sorted(modules))} |\n"
        )
    return head + "".join(rows)


def _cell(entry: advice.Template) -> str:
    """Return the text of an entry for a cell of a table."""
    names = {name: f"{{{name}}}" for _, name, _, _ in string.Formatter().parse(entry.text) if name}
    text = entry(**names)
    for special in "\\|<*_":
        text = text.replace(special, f"\\{special}")  # type: ignore[assignment]
    return text


def advice_uses() -> Iterator[tuple[str, tuple[set[str], set[int]]]]:
    """Yield for each entry that the code uses its id, the modules, and the exit codes of the errors around it."""
    sources = Path(advice.__file__).parent
    ids = {name: each.id for name, each in vars(advice).items() if isinstance(each, advice.Template)}
    codes = {error.__name__: error.exit_code for error in errors.error_classes()}
    found: defaultdict[str, tuple[set[str], set[int]]] = defaultdict(lambda: (set(), set()))
    for path in sorted(sources.rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
        for node in ast.walk(tree):
            if not isinstance(node, ast.Attribute) or node.attr not in ids or not isinstance(node.value, ast.Name):
                continue
            modules, around = found[ids[node.attr]]
            modules.add(path.relative_to(sources).as_posix())
            outer: ast.AST | None = node
            while outer is not None and not (names := _error_names(outer) & codes.keys()):
                outer = parents.get(outer)
            around |= {codes[name] for name in names} if outer is not None else set()
    yield from found.items()


def _error_names(node: ast.AST) -> set[str]:
    """The names of classes that a call makes or is given as ``kind``."""
    if not isinstance(node, ast.Call):
        return set()
    given = [node.func, *(word.value for word in node.keywords if word.arg in {"kind", "writing"})]
    return {each.id for each in given if isinstance(each, ast.Name)}


def tests_page() -> str:
    """Return the how-to on tests, with one row for each place that declares what tests need."""
    rows = "\n".join(f"| {number} | {place} |" for number, place in enumerate(SOURCES, start=1))
    page = (HERE.parent / "how-to" / "tests.md").read_text()
    before, _, rest = page.partition("<!-- sources -->\n")
    table = f"| order | place |\n|---|---|\n{rows}\n"
    return f"{before}<!-- sources -->\n{table}<!-- end sources -->{rest.partition('<!-- end sources -->')[2]}"


PAGES = {
    "../how-to/tests.md": tests_page,
    "advice.md": advice_page,
    "exit-codes.md": exit_codes,
    "commands.md": commands,
    "stages.md": stages,
}


def stale() -> list[str]:
    """Return the names of the pages that differ from the code."""
    return [name for name, page in PAGES.items() if not (HERE / name).exists() or (HERE / name).read_text() != page()]


def main() -> int:
    """Write the pages, or check them. Returns 1 if a page is out of date."""
    if "--check" in sys.argv[1:]:
        for name in (found := stale()):
            sys.stderr.write(f"docs/reference/{name} is out of date: run `make docs`\n")
        return 1 if found else 0
    for name, page in PAGES.items():
        (HERE / name).write_text(page(), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
