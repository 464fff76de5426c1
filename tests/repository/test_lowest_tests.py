"""Which tests `make test-lowest` runs: those that judge how a library is used, and some for each library."""

from __future__ import annotations

import ast

import pytest
from tools.lowest_tests import Source, chosen, read, unjudged


def source(text: str) -> Source:
    """A module with this text."""
    return read([*ast.walk(ast.parse(text))])


SOURCES = {
    "unmoor.notes.rst": source("import docutils\nimport os\n"),
    "unmoor.notes.convert": source("from unmoor.notes import rst\n"),
    "unmoor.notes.limit": source("import re\nfrom msgspec import Struct\n"),
    "unmoor.config.schema": source("import msgspec\n\nmsgspec.inspect.type_info(int)\n"),
    "unmoor.dists.pack": source("from packaging.tags import sys_tags\nimport isal\n"),
    "unmoor.stages.notes": source("from unmoor.notes import convert\n"),
    "tests.dists.test_other": source("import os\n"),
    "tests.notes.test_first": source("from unmoor.notes import rst\n"),
}


def judged(name: str, text: str) -> set[str]:
    """The libraries that a file of tests judges."""
    return chosen({**SOURCES, name: source(text)}).get(name, set())


@pytest.mark.parametrize(
    ("name", "text", "libraries"),
    [
        ("tests.notes.test_rst", "from unmoor.notes.rst import read\n", {"docutils"}),
        ("tests.notes.test_first", "from unmoor.notes import rst\n", {"docutils"}),
        ("tests.notes.test_first", "from unmoor.notes import convert\n", {"docutils"}),
        ("tests.notes.test_convert", "from unmoor.notes import convert\n", set()),
        ("tests.notes.test_limit", "from unmoor.notes import limit\n", set()),
        ("tests.stages.test_notes", "from unmoor.notes import convert\nfrom unmoor.stages import notes\n", set()),
        ("tests.config.test_schema", "from unmoor.config import schema\n", {"msgspec"}),
        ("tests.config.test_other", "from unmoor.config import schema\n", set()),
        ("tests.dists.test_pack", "from unmoor.dists import pack\n", {"isal", "packaging"}),
    ],
    ids=[
        *("by its name", "directly", "by its room", "farther than another", "plain use", "another room"),
        *("more than plain use", "of another name", "both"),
    ],
)
def test_what_a_file_judges(name: str, text: str, libraries: set[str]) -> None:
    """It judges the libraries that the modules of its own room use, where no other file is nearer to these."""
    assert judged(name, text) == libraries


def test_a_file_that_is_named_after_a_module_judges_it_alone() -> None:
    """Others that import the module judge nothing of it."""
    found = chosen({**SOURCES, "tests.notes.test_rst": source("from unmoor.notes import rst\n")})
    assert found["tests.notes.test_rst"] == {"docutils"}
    assert "tests.notes.test_first" not in found


def test_a_library_that_no_test_reaches() -> None:
    """All tests of its room judge it."""
    assert chosen(SOURCES)["tests.dists.test_other"] == {"isal"}


def test_a_library_that_no_test_judges() -> None:
    """It is found."""
    sources = {"unmoor.notes.rst": source("import docutils\n"), "tests.dists.test_other": source("import os\n")}
    assert unjudged(sources, chosen(sources)) == {"docutils"}
    assert unjudged(SOURCES, chosen(SOURCES)) == {"msgspec", "packaging"}
