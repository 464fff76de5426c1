"""A paragraph of ours below the notes: always readable, never longer than the forge allows."""

from __future__ import annotations

import pytest
from hypothesis import given
from tests.notes.test_limit import TEXTS

from unmoor.notes import markdown
from unmoor.notes.ending import with_ending
from unmoor.notes.limit import CLOSING_LINE, cut
from unmoor.products import Notes

ENDING = "To verify: `unmoor verify o/n@v1`."


def ended(text: str, limit: int = 1000) -> Notes:
    """Return the notes of a text with the ending."""
    return with_ending(Notes(body=cut(text, limit), full=text, source="a test"), ENDING, limit)


@given(text=TEXTS)
def test_the_ending_is_a_paragraph_of_its_own(text: str) -> None:
    """No fence, comment, list or quote of the notes swallows it, and the same notes give the same bytes."""
    made = ended(text)
    block = markdown.open_block(made.body)
    assert block is not None
    assert block.type == "paragraph_open"
    assert block.map is not None
    assert made.body.split("\n")[block.map[0] :] == [ENDING]
    assert len(made.body) <= 1000
    assert ended(text) == made


@pytest.mark.parametrize(
    "text",
    [
        "- a change",
        "- a change\n",
        "# 1.0\n\ntext",
        "```\ncode",
        "~~~~\ncode",
        "<!-- hidden",
        "<pre>\nx",
        "> quote",
        "",
    ],
)
def test_the_notes_stay_in_front_of_it(text: str) -> None:
    """Nothing of the changelog is lost: what a block leaves open is ended."""
    made = ended(text)
    assert made.body.startswith(text.rstrip())
    assert made.body.endswith(ENDING)
    assert made.full == made.body
    assert ("\n---\n" in made.body) is bool(text)


@pytest.mark.parametrize("length", [830, 870, 999, 1000, 1001, 5000])
def test_long_notes_give_way(length: int) -> None:
    """If both do not fit, the notes are cut, and the whole text is an asset."""
    text = "\n".join(["- a change"] * (length // 11 + 1))[:length]
    made = ended(text)
    assert len(made.body) <= 1000
    assert made.body.endswith(ENDING)
    is_cut = CLOSING_LINE in made.body
    assert is_cut is (length > 866)
    assert made.full == (text if is_cut else made.body)
    assert made.body.count(CLOSING_LINE) == is_cut
