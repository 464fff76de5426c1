"""MyST, the Markdown of Sphinx, becomes plain Markdown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmoor.notes import myst

CONVERTED = {
    "numbers": ("- A {issue}`3502` {pr}`1`, {gh}`2`\n", "- A #3502 #1, #2\n"),
    "names": ("{func}`~a.b` {class}`C` {py:meth}`!x.y` {attr}`d`", "`b` `C` `x.y` `d`"),
    "titles": ("{ref}`the guide <guide>`, {doc}`/api`, {user}`me`", "the guide, /api, me"),
    "text is escaped": ("{user}`a*b <c`", "a\\*b \\<c"),
    "over lines": ("a {ref}`the\nguide <x>` b\nc {pr}`1`", "a the\nguide b\nc #1"),
    "a target over lines": ("a {ref}`guide\n<x>` b\nc\n\nd", "a guide b\nc\n\nd"),
    "in a heading": ("## New {pr}`1` ##\n\nb", "## New #1 ##\n\nb"),
    "in a quoted list": ("> - a {pr}`1`\n>   b {pr}`2`\n", "> - a #1\n>   b #2\n"),
    "in a link": ("[see {pr}`1`](https://example.org)", "[see #1](https://example.org)"),
    "with breaks": ("a {pr}`1`  \nb  \nc", "a #1  \nb  \nc"),
    "longer marks": ("{func}``a`b``", "``a`b``"),
    "versions": ("```{versionadded} 1.2\nFor **all** {pr}`1`.\n```", "*Added in version 1.2*: For **all** #1."),
    "a version without words": (":::{deprecated} 2.0\n:::", "*Deprecated since version 2.0*"),
    "an admonition": (
        ":::{note}\n:class: x\n\nMind {meth}`a`.\n\n- b\n:::",
        "> **Note**\n>\n> Mind `a`.\n>\n> - b",
    ),
    "one with a title": ("```{admonition} My *title*\na\n```", "> **My *title***\n>\n> a"),
    "one in another": (
        "::::{tip}\n:::{warning}\na\n:::\n::::",
        "> **Tip**\n>\n> > **Warning**\n> >\n> > a",
    ),
    "code": ("```{code-block} python\n:linenos:\n{pr}`1`\n```", "```python\n{pr}`1`\n```"),
    "code with fences": ("````{code}\n```\na\n```\n````", "````\n```\na\n```\n````"),
    "nothing to show": ("a\n\n```{toctree}\nb\n```\n\nc", "a\n\n\n\nc"),
    "reStructuredText": ("```{eval-rst}\n:pr:`1`\n```", "<:pr:`1`>"),
    "an unknown one": (":::{grid} 2 {pr}`1`\n---\nx: y\n---\na\n:::", "2 #1\n\na"),
    "in a list": ("- a\n\n  ```{note}\n  b\n  ```\n- c", "- a\n\n  > **Note**\n  >\n  > b\n- c"),
    "right after a mark": ("- ```{tip}\n  b\n  ```", "- > **Tip**\n  >\n  > b"),
    "a target": ("a\n\n(v1-2)=\n## B", "a\n\n## B"),
}


@pytest.mark.parametrize(("text", "wanted"), CONVERTED.values(), ids=CONVERTED)
def test_myst_is_converted(text: str, wanted: str) -> None:
    """Roles, directives and targets become what a reader of Sphinx's pages sees."""
    assert myst.to_markdown(text, "<{}>".format) == wanted


KEPT = [
    "`{issue}`1` and `` {issue}`1` ``",
    "\\{issue}`1`",
    "```md\n{issue}`1`\n```",
    "~~~\n```{note}\n~~~",
    "    {issue}`1`",
    "{issue}`1",
    "{issue} `1`",
    "{not a role}`1`",
    "{}`1`",
    "use `{name}` and {{ x }} (x)=1",
    "```{name\na\n```",
    "| {a} | b |\n| - | - |\n| `c` | d |",
    ":::\nnot a directive\n:::",
    "a\r{b}",
]


@pytest.mark.parametrize("text", KEPT)
def test_everything_else_is_kept(text: str) -> None:
    """Code, escaped braces and everything that is no MyST stays as it was written."""
    assert myst.to_markdown(text, str.upper) == text


PIECES = [
    "{pr}`1`",
    "{func}`~a.b`",
    "`",
    "``",
    "{",
    "\\",
    "- ",
    "> ",
    "\n",
    "\n\n",
    "    ",
    "```",
    "text ",
    "# ",
    ":::{note}",
]


@given(st.lists(st.sampled_from(PIECES), max_size=20))
def test_other_words_survive(pieces: list[str]) -> None:
    """Whatever surrounds them, no word of a text is lost or doubled."""
    text = "".join(pieces)
    assert myst.to_markdown(text, str).count("text") == text.count("text")
