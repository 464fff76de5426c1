"""Put a paragraph of ours above the release notes, which is no part of the changelog's text."""

from __future__ import annotations

from unmoor.notes.limit import TEXT_LIMIT, cut
from unmoor.products import Notes
from unmoor.util.values import replace


def with_beginning(notes: Notes, beginning: str, limit: int = TEXT_LIMIT) -> Notes:
    """Return the notes below a paragraph, within ``limit`` characters; the notes give way."""
    room = limit - len(beginning) - 2
    is_cut = notes.full != notes.body or len(notes.body) > room
    body = f"{beginning}\n\n{cut(notes.full, room) if is_cut else notes.body}"
    return replace(notes, body=body, full=f"{beginning}\n\n{notes.full}" if is_cut else body)
