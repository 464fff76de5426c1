"""Titles of reStructuredText, found without docutils but in agreement with it."""

from __future__ import annotations

import pytest
from docutils import nodes
from docutils.core import publish_doctree
from hypothesis import given
from hypothesis import strategies as st

from unmoor.notes import rst

QUIET = {"doctitle_xform": False, "report_level": 5, "halt_level": 5, "warning_stream": False, "_disable_config": True}


def by_docutils(text: str) -> list[tuple[str, int]]:
    """The titles and levels that docutils finds in a document."""
    found = []
    for section in publish_doctree(text, settings_overrides=QUIET).findall(nodes.section):
        level = sum(isinstance(node, nodes.section) for node in ancestors(section)) + 1
        title = section.next_node(nodes.title)
        assert title is not None
        found.append((title.astext(), level))
    return found


def ancestors(node: nodes.Node) -> list[nodes.Node]:
    """All ancestors of a node."""
    return [] if node.parent is None else [node.parent, *ancestors(node.parent)]


TEXTS = {
    "levels in order of appearance": "A\n#\n\nB\n=\n\nC\n-\n\nD\n=\n\nE\n#\n",
    "overlined and underlined differ": "=====\nTop\n=====\n\nSub\n=====\n\n=====\n Two\n=====\n",
    "a table of several columns": "A\n=\n\n===== =====\na     b\n===== =====\n\nB\n=\n",
    "a grid": "A\n=\n\n+---+\n| a |\n+---+\n\nB\n=\n",
    "a transition": "A\n=\n\ntext\n\n----\n\nB\n=\n\ntext\n",
    "code": "A\n=\n\n::\n\n    B\n    =\n\nC\n=\n",
    "quoted code": "A\n=\n\n::\n\n> B\n> =\n\nC\n=\n",
    "in a directive": "A\n=\n\n.. code::\n\n   B\n   =\n\nC\n=\n",
    "after a target": "A\n=\n\n.. _b:\n\nB\n=\n",
    "after a list without a blank line": "A\n=\n\n- a\n- b\n\nB\n=\n",
    "two at once": "A\n=\nB\n-\n\ntext\n",
    "an underline that is too short": "A long title\n====\n\nB\n====\n",
    "text that is not underlined enough": "A long title\n==\n\ntext\n",
    "wide characters": "\N{CJK UNIFIED IDEOGRAPH-4E2D}\n==\n\ntext\n",
    "a paragraph of two lines": "A\n=\n\none\ntwo\n\nB\n=\n",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_titles_agree_with_docutils(text: str) -> None:
    """Titles and levels agree with docutils."""
    assert [(heading.text, heading.level) for heading in rst.headings(text)] == by_docutils(text)


BLOCKS = st.sampled_from(
    [
        "{v}\n{u}",
        "text",
        "- a\n- b",
        "::\n\n  {v}\n  {u}",
        ".. _t: x",
        "=====  ====\na      b\n=====  ====",
        "1. x",
        ">>> 1",
    ]
)


@given(st.lists(st.tuples(BLOCKS, st.sampled_from("=-~"), st.integers(1, 99)), max_size=8))
def test_titles_agree_for_any_mixture(parts: list[tuple[str, str, int]]) -> None:
    """For any sequence of blocks, every title that docutils finds is found, with its text and in order.

    Levels are only compared above, because docutils drops sections with inconsistent levels.
    """
    text = "\n\n".join(block.replace("{v}", f"1.{n}").replace("{u}", char * 4) for block, char, n in parts) + "\n"
    ours = [heading.text for heading in rst.headings(text)]
    theirs = [title for title, _ in by_docutils(text)]
    assert [title for title in ours if title in theirs] == theirs
