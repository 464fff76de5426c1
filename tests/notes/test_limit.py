"""Notes that are longer than the forge allows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmoor.notes import markdown
from unmoor.notes.limit import CLOSING_LINE, LIMIT, TEXT_LIMIT, cut

SMALLEST = len(CLOSING_LINE) + 20
LINES = st.sampled_from(
    [
        "",
        "- a change",
        "  more of it",
        "```python",
        "```",
        "~~~~",
        "# heading",
        "    code",
        "> quote",
        "<!-- hidden",
        "-->",
    ]
) | st.text(max_size=60).map(lambda text: " ".join(text.split()))
TEXTS = st.lists(LINES, max_size=60).map("\n".join)


@given(text=TEXTS, limit=st.integers(SMALLEST, 600))
def test_cut_keeps_within_the_limit(text: str, limit: int) -> None:
    """The result is never longer than the limit, and cutting it again changes nothing."""
    once = cut(text, limit)
    assert len(once) <= limit
    assert cut(once, limit) == once


@given(text=TEXTS, limit=st.integers(SMALLEST, 600))
def test_cut_keeps_first_whole_lines(text: str, limit: int) -> None:
    """The result is the text's first lines, at most the end of a fence, and the closing line."""
    once = cut(text, limit)
    if once == text:
        return
    assert once.endswith(CLOSING_LINE)
    kept = once.removesuffix(CLOSING_LINE).rstrip("\n").split("\n")
    lines = text.split("\n")
    assert kept in ([""], lines[: len(kept)]) or (
        kept[:-1] == lines[: len(kept) - 1] and set(kept[-1]) in ({"`"}, {"~"})
    )


@given(text=TEXTS, limit=st.integers(SMALLEST, 600))
def test_closing_line_is_a_paragraph(text: str, limit: int) -> None:
    """The closing line is a separate paragraph, never part of a fence, comment or quote."""
    once = cut(text, limit)
    if once == text:
        return
    last = markdown.open_block(once)
    assert last is not None
    assert last.map is not None
    assert (last.type, last.map[0]) == ("paragraph_open", once.count("\n"))


CASES = {
    "short": ("a\nb", "a\nb"),
    "exactly as long": ("x" * 200, "x" * 200),
    "between lines": ("- a\n" * 200, "- a\n" * 24 + "- a"),
    "one endless line": ("x" * 300, ""),
    "a fence is closed": ("~~~~\n" + "code\n" * 100, "~~~~\n" + "code\n" * 17 + "code\n~~~~"),
    "a comment goes whole": ("a\n\n<!--\n" + "x\n" * 200, "a"),
    "an endless fence goes whole": ("a\n\n" + "`" * 250 + "\n" + "x\n" * 200, "a"),
}


@pytest.mark.parametrize(("text", "kept"), CASES.values(), ids=CASES)
def test_cut(text: str, kept: str) -> None:
    """Each kind of text is cut where a reader would cut it."""
    closing = "" if len(text) <= 200 else ("\n\n" if kept else "") + CLOSING_LINE
    got = cut(text, 200)
    assert got.endswith(closing)
    got_kept = got.removesuffix(closing) if closing else got
    assert got_kept == kept


def test_default_limit() -> None:
    """A megabyte is cut to nearly 125,000 characters; the rest is kept free for announcements."""
    got = cut("- a change that is told in a line of some length\n" * 20_000)
    assert TEXT_LIMIT - 100 < len(got) <= TEXT_LIMIT == LIMIT - 2_000 == 123_000


def test_many_lines_in_an_endless_fence_end_soon() -> None:
    """A fence whose end does not fit is dropped at once, not line by line."""
    assert cut("a\n\n" + "`" * 100_000 + "\n" + "x\n" * 100_000) == "a\n\n" + CLOSING_LINE
