"""Dependency groups (PEP 735) with the groups that they include, and their forerunners in PDM and uv."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from unmoor.project.files import Files, table
from unmoor.project.literals import texts_of
from unmoor.project.test_needs.requirement_lines import read_lines
from unmoor.project.test_needs.source import Source, SourceKind, kind_of


def read_groups(files: Files) -> Iterator[Source]:
    """Every dependency group that can be resolved. The programs that use the others report them."""
    for name in groups_of(files):
        try:
            requires = resolve_group(files, name)
        except ValueError:
            continue
        yield read_lines(files, requires).source(f"the dependency group {name}", kind_of(name))
    for name, listed in table(files.pyproject, "tool", "pdm", "dev-dependencies").items():
        yield read_lines(files, texts_of(listed)).source(f"tool.pdm.dev-dependencies.{name}", kind_of(name))
    if uv := texts_of(table(files.pyproject, "tool", "uv").get("dev-dependencies")):
        yield read_lines(files, uv).source("tool.uv.dev-dependencies", SourceKind.DEVELOPMENT)


def groups_of(files: Files) -> Mapping[str, Any]:
    """The table of dependency groups, empty if there is none."""
    return table(files.pyproject, "dependency-groups")


def resolve_group(files: Files, name: str) -> tuple[str, ...]:
    """The requirements of a group and of the groups that it includes. Raises ``ValueError``."""
    from packaging.dependency_groups import resolve_dependency_groups

    try:
        return resolve_dependency_groups(groups_of(files), name)
    except (LookupError, ValueError, TypeError, AttributeError) as error:
        raise ValueError(str(error)) from error
    except ExceptionGroup as error:
        raise ValueError("; ".join(map(str, error.exceptions))) from error


def resolve_known(files: Files, names: list[str]) -> list[str]:
    """The requirements of several groups, without those that cannot be resolved."""
    requires: list[str] = []
    for name in names:
        try:
            requires += resolve_group(files, name)
        except ValueError:
            continue  # the program that uses the group reports it
    return requires
