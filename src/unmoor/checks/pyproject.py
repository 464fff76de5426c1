"""pyproject.toml, judged by the specifications and by the schemas of tools.

By validate-pyproject, whose schemas follow the specifications and setuptools, and whose plug-ins, where they are
installed, know the tables of other tools. It imports only those.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from unmoor.checks.model import CheckContext, CheckGroup, CheckLevel, CheckProblem, RepositoryCheck, skip
from unmoor.config.read_toml import parse
from unmoor.util.text import clean

if TYPE_CHECKING:
    from validate_pyproject.plugins import PluginProtocol

NAME = "pyproject.toml"
_PART = re.compile(r"[^.\[\]`]+")


def _run(context: CheckContext) -> Iterator[CheckProblem]:
    where = context.from_top(NAME)
    data = context.files.read(NAME)
    if data is None:
        skip(f"there is no {NAME}")
    # What is loaded for this takes longer than every other fast check.
    if context.staged and where not in context.source.changed(context.head):
        skip(f"{NAME} is not among the staged files")
    document = parse(data, where)
    tools = document.table.get("tool", {})
    # They read what is next to them, and so take long to import.
    from validate_pyproject.api import Validator
    from validate_pyproject.errors import ValidationError

    try:
        Validator(plugins_for(tools if isinstance(tools, Mapping) else ()))(dict(document.table))
    except ValidationError as error:
        path = tuple(_PART.findall(str(error.name)))
        what = clean(str(error.message), 1000)
        yield CheckProblem(what=what, where=where, line=document.line_of(_named(path)) or None)


def plugins_for(tools: Collection[str]) -> list[PluginProtocol]:
    """The plug-ins for these tools, and those whose schemas the schemas of these name. Schemas take long to compile."""
    from validate_pyproject.plugins import list_from_entry_points

    left: list[PluginProtocol] = [*list_from_entry_points()]
    chosen = [each for each in left if each.tool in tools]
    for plugin in chosen:  # which grows
        left = [each for each in left if each not in chosen]
        text = json.dumps(dict(plugin.schema))
        chosen += [each for each in left if each.schema.get("$id", each.id) in text]
    return chosen


def _named(path: tuple[str, ...]) -> tuple[str, ...]:
    """The path of a key as the file has it; of an item of an array, that of the array."""
    path = path[: next((number for number, part in enumerate(path) if part.isdecimal()), len(path))]
    return ("dependency-groups", *path[1:]) if path[:1] == ("dependency_groups",) else path


CHECK = RepositoryCheck(
    id="pyproject",
    group=CheckGroup.FAST,
    level=CheckLevel.CRITICAL,
    title="pyproject.toml follows the specifications, and the schema of setuptools and of other tools with a plug-in",
    reads="pyproject.toml; with `--staged` only if it is among the staged files",
    remedy="correct the key that the message names",
    run=_run,
)
