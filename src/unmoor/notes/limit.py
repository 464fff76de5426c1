"""Cut notes to the length that the forge allows for the body of a release."""

from __future__ import annotations

from unmoor.notes import markdown

# The most characters in the body of a release on GitHub, which refuses a longer one with status 422.
LIMIT = 125_000
# What is kept free of that for the comments about announcements, which come later.
TEXT_LIMIT = LIMIT - 2_000
ASSET = "RELEASE_NOTES.md"
CLOSING_LINE = f"*The release notes are too long for this page. The full text is in the asset `{ASSET}`.*"


def cut(text: str, limit: int = TEXT_LIMIT) -> str:
    """Return Markdown of at most ``limit`` characters: the text itself, or its first lines and a closing line.

    The text is cut between lines. An open code fence is closed. An HTML block that would hide the closing line is
    left out.
    """
    if len(text) <= limit:
        return text
    # Room for the closing line, the blank lines around it, and the end of a fence.
    kept = _whole_lines(text, limit - len(CLOSING_LINE) - 2)
    while kept:
        closed = _with_closing_line(kept)
        if closed is not None and len(closed) <= limit:
            return closed
        kept = _whole_lines(kept, _shorter_length(kept, limit))
    return CLOSING_LINE


def _whole_lines(text: str, length: int) -> str:
    """The lines that are completely within the first ``length`` characters."""
    if length <= 0:
        return ""
    if len(text) <= length:
        return text.rstrip("\n")
    return text[: text.rfind("\n", 0, length + 1) + 1].rstrip("\n")


def _with_closing_line(kept: str) -> str | None:
    """Add the closing line. Returns ``None`` if the last block would hide it."""
    closed = f"{kept}\n\n{CLOSING_LINE}"
    if not _hides_closing_line(closed):
        return closed
    block = markdown.open_block(closed)
    if block is None or block.type != "fence":
        return None
    closed = f"{kept}\n{block.markup}\n\n{CLOSING_LINE}"
    return None if _hides_closing_line(closed) else closed


def _hides_closing_line(closed: str) -> bool:
    """Whether the closing line is part of another block and not a separate paragraph."""
    block = markdown.open_block(closed)
    last = closed.count("\n")
    return block is None or block.type != "paragraph_open" or block.map is None or block.map[0] != last


def _shorter_length(kept: str, limit: int) -> int:
    """How many characters to keep in the next attempt, always fewer.

    The result either leaves room for the end of the fence, or drops the whole block that hides the closing line.
    """
    block = markdown.open_block(f"{kept}\n\n{CLOSING_LINE}")
    start = block.map[0] if block is not None and block.map is not None else 0
    before = sum(len(line) + 1 for line in kept.split("\n")[:start])
    if block is not None and block.type == "fence":
        room = limit - len(CLOSING_LINE) - len(block.markup) - 3
        if before < room < len(kept):
            return room
    return min(before, len(kept) - 1)
