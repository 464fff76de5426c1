"""Poetry's groups, with its own way to write versions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from unmoor.project.files import Files, table
from unmoor.project.test_needs.source import Source, SourceKind, kind_of

_UNION: Final = re.compile(r"\((?P<first>[^()|]*)\|\|(?:[^()]*\|\|)?(?P<last>[^()|]*)\)")


def read_poetry(files: Files) -> Iterator[Source]:
    """Poetry's groups, and ``dev-dependencies`` of its versions before 1.2."""
    poetry = table(files.pyproject, "tool", "poetry")
    if old := table(poetry, "dev-dependencies"):
        yield _source("tool.poetry.dev-dependencies", SourceKind.DEVELOPMENT, old)
    for name, group in table(poetry, "group").items():
        listed = table(group, "dependencies") if isinstance(group, Mapping) else {}
        if listed:
            yield _source(f"tool.poetry.group.{name}", kind_of(name), listed)


def _source(place: str, kind: SourceKind, listed: Mapping[str, Any]) -> Source:
    requires: list[str] = []
    omitted: list[str] = []
    for name, value in listed.items():
        if name == "python":
            continue
        for each in value if isinstance(value, list) else [value]:  # a list: one entry for each kind of machine
            text = requirement_of(name, each)
            (requires if text else omitted).append(text or name)
    return Source(place=place, kind=kind, requires=tuple(requires), omitted=tuple(omitted))


def requirement_of(name: str, value: object) -> str:
    """A dependency of Poetry as PEP 508; empty for a path or file, and for what Poetry itself refuses.

    poetry-core reads it: it is what Poetry reads it with. A range with a gap has no form in PEP 508; its gap is lost.

    >>> requirement_of("pytest", "^8.1"), requirement_of("x", {"version": "~1.2", "extras": ["a"], "python": "<3.9"})
    ('pytest<9.0,>=8.1', 'x[a]<1.3,>=1.2; python_version < "3.9"')
    """
    if isinstance(value, Mapping):
        if {"path", "file"} & value.keys():
            return ""
        value = {key: each for key, each in value.items() if key not in {"optional", "develop", "source"}}
    if not isinstance(value, str | Mapping):
        return ""
    # Before poetry-core, which puts its own copy of packaging on the path.
    from packaging.requirements import InvalidRequirement, Requirement
    from poetry.core.factory import Factory

    try:
        text = Factory.create_dependency(name, value).to_pep_508()
    except Exception:  # noqa: BLE001  # poetry-core raises errors of several libraries for a malformed value
        return ""
    try:
        return str(Requirement(_UNION.sub(_outer_bounds, text)))
    except InvalidRequirement:
        return ""


def _outer_bounds(union: re.Match[str]) -> str:
    """The lowest and the highest bound of a union of ranges.

    >>> _UNION.sub(_outer_bounds, "x (>=1.2,<2.0 || ==2.5 || >=3,<4)"), _UNION.sub(_outer_bounds, "x (==1 || ==3)")
    ('x (>=1.2,<4)', 'x (>=1,<=3)')
    """
    lower = [each.strip().replace("==", ">=") for each in union["first"].split(",")]
    upper = [each.strip().replace("==", "<=") for each in union["last"].split(",")]
    return f"({','.join([*(each for each in lower if '>' in each), *(each for each in upper if '<' in each)])})"
