"""A paragraph of ours above the notes."""

from __future__ import annotations

import pytest

from unmoor.notes.beginning import with_beginning
from unmoor.products import Notes

TEXT = "> **Careful.**"


@pytest.mark.parametrize(
    ("body", "full"),
    [("- New", "- New"), ("- New\n" * 50, "- New\n" * 50), ("- cut", "- cut\n- and more\n" * 20), ("", "")],
    ids=["short", "too long with it", "cut before", "empty"],
)
def test_the_notes_give_way(body: str, full: str) -> None:
    """The paragraph is first and whole within the limit; what is cut is in the full text."""
    found = with_beginning(Notes(body=body, full=full, source="a test"), TEXT, 200)
    assert found.body.startswith(f"{TEXT}\n\n")
    assert len(found.body) <= 200
    assert found.full.startswith(TEXT)
    assert full in found.full
