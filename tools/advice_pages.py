"""The pages about advice: an index, and a page for each group with a section for each piece of advice."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from unmoor import advice, errors
from unmoor.render.explain import Explanation, explanations

FOLDER = "advice"
"""The folder of the groups, beside the index."""


def pages() -> dict[str, str]:
    """Return the text of every page by its name."""
    groups = {
        (title, f"{FOLDER}/{group}.md"): list(entries)
        for (group, title), entries in groupby(explanations().values(), key=lambda each: (each.group, each.title))
    }
    uses = dict(advice_uses())
    index = {"advice.md": _index(groups)}
    return index | {name: _group(title, entries, uses) for (title, name), entries in groups.items()}


def _index(groups: dict[tuple[str, str], list[Explanation]]) -> str:
    head = (
        "# Advice\n\nEvery error says what to do next. Each piece of advice has an id that stays the same: programs\n"
        "find it as `advice` in the JSON document of a run and in the journal, in the order of the text. Words in\n"
        "braces stand for a value. Each id leads to its cause, to what is public by then, and to what to do;\n"
        "`unmoor explain ID` prints the same.\n"
    )
    parts = [head]
    for (title, name), entries in groups.items():
        rows = [f"| [`{each.id}`]({name}#{each.id}) | {_plain(each.advice)} |\n" for each in entries]
        parts.append(f"\n## {title}\n\n| id | advice |\n|---|---|\n{''.join(rows)}")
    return "".join(parts)


def _group(title: str, entries: list[Explanation], uses: dict[str, tuple[set[str], set[int]]]) -> str:
    parts = [f"# Advice: {title[:1].lower()}{title[1:]}\n\nThe index is on the page [Advice](../advice.md).\n"]
    for each in entries:
        modules, codes = uses.get(each.id, (set(), set()))
        listed = ", ".join(map(str, sorted(codes))) or "any"
        raised = ", ".join(f"[`{module}`](../../../src/unmoor/{module})" for module in sorted(modules))
        parts.append(
            f"\n## `{each.id}`\n\n> {_plain(each.advice)}\n\n"
            f"**Cause.** {_prose(each.cause)}\n\n"
            f"**Public by then.** {_prose(each.public)}\n\n"
            f"**What to do.** {_prose(each.do)}\n\n"
            f"[Exit code](../exit-codes.md): {listed}. Comes from {raised}.\n"
        )
    return "".join(parts)


def _plain(text: str) -> str:
    """Escape what Markdown would take for markup. Words in backticks are code."""
    return "".join(
        part if part.startswith("`") else re.sub(r"([\\|<*_])", r"\\\1", " ".join(part.split("\n")))
        for part in re.split(r"(`[^`]*`)", text)
    )


def _prose(text: str) -> str:
    """Escape a text, and let the pages that it names be links."""
    return re.sub(r"`docs/([\w/-]+\.md)`", r"[`docs/\1`](../../\1)", _plain(text))


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
