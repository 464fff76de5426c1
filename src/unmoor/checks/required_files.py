"""Files that must be there: what the settings require, and what pyproject.toml names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from unmoor.checks.model import CheckContext, CheckGroup, CheckLevel, CheckProblem, RepositoryCheck
from unmoor.checks.patterns import matching
from unmoor.project.files import Files, table
from unmoor.util.text import clean


def _run(context: CheckContext) -> Iterator[CheckProblem]:
    names = context.project_names
    for pattern in context.settings.checks.required:
        if not matching(pattern, names):
            yield CheckProblem(what=f"there is no {clean(pattern)}, which the settings require")
    present = set(names)
    for key, path in named_files(context.files):
        if path not in present and context.files.read(path) is None:
            yield CheckProblem(
                what=f"{key} names {clean(path)}, and there is no such file", where=context.from_top("pyproject.toml")
            )


def named_files(files: Files) -> Iterator[tuple[str, str]]:
    """Yield every file that the metadata in pyproject.toml names, with the key."""
    project = table(files.pyproject, "project")
    for key in ("readme", "license"):
        path = _path(project.get(key))
        # A licence that is text is an expression, such as MIT.
        if path and not (key == "license" and isinstance(project[key], str)):
            yield f"project.{key}", path
    dynamic = table(files.pyproject, "tool", "setuptools", "dynamic")
    for key, value in dynamic.items():
        given = value.get("file") if isinstance(value, dict) else None
        for each in given if isinstance(given, list) else [given]:
            if each and isinstance(each, str):
                yield f"tool.setuptools.dynamic.{clean(key, 60)}", each


def _path(value: Any) -> str:
    path = value.get("file") if isinstance(value, dict) else value
    return path if isinstance(path, str) else ""


CHECK = RepositoryCheck(
    id="required-files",
    group=CheckGroup.FAST,
    level=CheckLevel.CRITICAL,
    title="The files that the settings require and that pyproject.toml names are there",
    reads="the list of files, `project` in pyproject.toml, `required` in `[tool.unmoor.checks]`",
    remedy="add the file, or name another one",
    run=_run,
)
