"""Extras: those of the wheel's metadata if there is a wheel, otherwise those that the files write down."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement

from unmoor.project.files import Files, table
from unmoor.project.literals import setup_keyword, texts_of
from unmoor.project.test_needs.poetry import requirement_of
from unmoor.project.test_needs.requirement_lines import read_lines
from unmoor.project.test_needs.source import Described, Description, Source, SourceKind, kind_of


def read_extras(project: Described) -> Iterator[Source]:
    """Each extra of the project."""
    for extra in project.extras:
        yield Source(place=f"the extra {extra}", kind=kind_of(extra), extras=(extra,))


def read_tests_require(files: Files) -> Iterator[Source]:
    """``tests_require`` of setuptools, in ``setup.cfg`` or as a literal in ``setup.py``."""
    listed = files.cfg.get("options", "tests_require", fallback="").splitlines()
    if listed:
        yield read_lines(files, listed).source("tests_require in setup.cfg", SourceKind.TEST)
    if literal := setup_keyword(files, "tests_require"):
        texts = [literal] if isinstance(literal, str) else texts_of(literal)
        yield read_lines(files, texts).source("tests_require in setup.py", SourceKind.TEST)


def describe(files: Files, name: str = "") -> Description:
    """The project as its files describe it: static extras and requirements. A build may add to them."""
    project = table(files.pyproject, "project")
    extras: dict[str, Any] = dict(table(project, "optional-dependencies"))
    requires = texts_of(project.get("dependencies"))
    poetry = table(files.pyproject, "tool", "poetry")
    own = table(poetry, "dependencies")
    requires += [text for each, value in own.items() if each != "python" and (text := requirement_of(each, value))]
    for extra, names in table(poetry, "extras").items():
        extras[extra] = [requirement_of(each, own.get(each, "*")) for each in texts_of(names)]
    if files.cfg.has_section("options.extras_require"):
        extras |= {extra: text.splitlines() for extra, text in files.cfg.items("options.extras_require")}
    requires += files.cfg.get("options", "install_requires", fallback="").splitlines()
    literal = setup_keyword(files, "extras_require")
    extras |= {key: each for key, each in literal.items() if isinstance(key, str)} if isinstance(literal, dict) else {}
    requires += [
        text
        for extra, texts in extras.items()
        for each in ([texts] if isinstance(texts, str) else texts_of(texts))
        if (text := _with_marker(each, extra))
    ]
    return Description(
        name=name,
        requires=tuple(text for text in requires if text.strip()),
        extras=tuple(extras),
    )


def _with_marker(text: str, extra: str) -> str:
    """A requirement of an extra, as metadata writes it; empty if it is not valid."""
    try:
        wanted = Requirement(text.strip())
    except InvalidRequirement:
        return ""
    head, _, marker = str(wanted).partition(";")
    joined = f"({marker.strip()}) and " if marker else ""
    return f"{head.strip()} ; {joined}extra == '{extra}'"
