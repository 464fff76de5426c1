"""Comments about announcements in the notes of a release: read, written, moved by hand, and never part of the text."""

from __future__ import annotations

import pytest

from unmoor.notes.announced import (
    Marker,
    MarkerState,
    ReleaseEvent,
    keep_markers,
    moved_to,
    read_markers,
    with_markers,
    without_markers,
)
from unmoor.notes.limit import LIMIT, TEXT_LIMIT

CHAT = Marker(
    event=ReleaseEvent.RELEASED,
    target="chat",
    state=MarkerState.SENDING,
    time="2026-01-31T12:00:00Z",
    run="0123456789abcdef",
)
MAIL = Marker(
    event=ReleaseEvent.FAILED, target="mail.team", state=MarkerState.SENT, time="2026-01-31T12:00:01Z", run="ab"
)
NOTES = "# 1.0\n\n- Something new\n\n---\n\nTo verify these files: `unmoor verify`."


def test_what_is_written_is_read() -> None:
    """Each message has one comment, whose state is replaced in its place; the text before them stays."""
    marked = with_markers(NOTES, [CHAT, MAIL])
    assert marked == f"{NOTES}\n\n{CHAT.line}\n{MAIL.line}"
    assert read_markers(marked) == (CHAT, MAIL)
    sent = moved_to(CHAT, MarkerState.SENT, "2026-01-31T12:00:05Z")
    again = with_markers(marked, [sent])
    assert again is not None
    assert read_markers(again) == (sent, MAIL)
    assert without_markers(again) == NOTES


@pytest.mark.parametrize(
    "body",
    [
        f"{CHAT.line}\r\n\r\n# 1.0\r\nmore\r\n",
        f"# 1.0\n\n{CHAT.line}\nadded below by hand\n",
        f"  {CHAT.line}  ",
        f"```\nan open fence\n{CHAT.line}",
    ],
    ids=["first", "in the middle", "indented", "fence"],
)
def test_an_edited_comment_still_counts(body: str) -> None:
    """A person may move it, and the web page of the forge writes other line ends: nothing is sent twice for that."""
    assert read_markers(body) == (CHAT,)
    assert CHAT.line not in without_markers(body)


@pytest.mark.parametrize(
    "line",
    [
        f"text {CHAT.line}",
        CHAT.line.replace("released", "other"),
        CHAT.line.replace("chat", "Chat"),
        CHAT.line.replace("-->", ""),
        "<!-- a comment -->",
    ],
)
def test_other_text_is_no_marker(line: str) -> None:
    """Whatever else the notes have is text, and stays as it is."""
    assert read_markers(line) == ()
    assert without_markers(line) == line


def test_an_unknown_state_may_have_been_sent() -> None:
    """A later version may write other states: to this one the message is as good as being sent."""
    assert read_markers(CHAT.line.replace("sending", "queued"))[0].state is MarkerState.SENDING


def test_there_is_room_in_notes_of_any_length() -> None:
    """Notes are cut so that ten targets fit, for both events; longer ones, edited by hand, get no marker."""
    every = [
        Marker(event=event, target=f"{'t' * 20}{number}", state=MarkerState.REFUSED, time=CHAT.time, run=CHAT.run)
        for event in ReleaseEvent
        for number in range(8)
    ]
    marked = with_markers("x" * TEXT_LIMIT, every)
    assert marked is not None
    assert len(marked) <= LIMIT
    assert with_markers("x" * (LIMIT - 10), every) is None


def test_a_new_text_keeps_the_markers() -> None:
    """A run that corrects the text of a draft does not forget who was told that it had failed."""
    assert keep_markers("new\n", f"old\n\n{MAIL.line}") == f"new\n\n{MAIL.line}"
    assert keep_markers("new\n", "old") == "new\n"
