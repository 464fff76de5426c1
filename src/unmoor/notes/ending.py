"""Add a line of ours below the release notes, which is no part of the changelog's text."""

from __future__ import annotations

from unmoor.notes import markdown
from unmoor.notes.limit import TEXT_LIMIT, cut
from unmoor.products import Notes
from unmoor.util.values import replace

_RULE = "\n\n---\n\n"
# What ends a comment or another block of HTML that the notes leave open; a fence ends with its own mark.
_ENDS = ("", "\n-->", "\n</pre>", "\n</script>")
_ROOM = 100


def with_ending(notes: Notes, ending: str, limit: int = TEXT_LIMIT) -> Notes:
    """Return the notes with a paragraph below a rule, within ``limit`` characters; the notes give way.

    A block that the notes leave open is ended before, so that it does not swallow the paragraph.
    """
    is_cut = notes.full != notes.body or len(notes.body) + len(ending) + _ROOM > limit
    text = cut(notes.full, limit - len(ending) - _ROOM) if is_cut else notes.body
    body = _below(text.rstrip(), ending)
    return replace(notes, body=body, full=notes.full if is_cut else body)


def _below(text: str, ending: str) -> str:
    if not text:
        return ending
    block = markdown.open_block(text)
    fence = f"\n{block.markup}" if block is not None and block.type == "fence" else ""
    tried = (f"{text}{end}{_RULE}{ending}" for end in dict.fromkeys(("", fence, *_ENDS)))
    return next((each for each in tried if _is_paragraph(each)), ending)


def _is_paragraph(text: str) -> bool:
    """Whether the last line of a text is a paragraph of its own."""
    block = markdown.open_block(text)
    last = text.count("\n")
    return block is not None and block.type == "paragraph_open" and block.map is not None and block.map[0] == last
