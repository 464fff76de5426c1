"""What a message says: its words, made harmless, and short enough for a target.

Everything in a message is cleaned, since titles, notes and errors are written by others. A mention would call everybody
in a channel, so each is broken by a character without width.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from unmoor.ports.announcer import Message
from unmoor.util.text import clean, indented

# Nobody sees it, and no service takes what it breaks for a mention.
_BREAK = "\u200b"
# "@name", and in angle brackets: what Slack, Discord and Teams make mentions, channels and links of.
_MENTION = re.compile(r"@(?=\w)|<(?=[!@#/a-zA-Z])")
_COMMENT = re.compile(r"<!--(?:(?!-->).)*(?:-->|\Z)", re.DOTALL)
_VERIFY = "\n\n---\n\nTo verify these files: "
_NOTES_LIMIT = 8_000
_LINE_LIMIT = 1_000
_WHY_LIMIT = 500
_MORE = "…"
# Services count characters in several ways, and write some as several.
_SHARE = 0.9


class TargetLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What a target takes: characters of a title and of a body, and lines. A title of 0 goes into the body."""

    title: int
    body: int
    lines: int = 0


def released(*, project: str, version: str, page: str, notes: str) -> Message:
    """The message that a release is public. ``page`` is its address, ``notes`` the body of the release there."""
    name = f"{_harmless(project)} {_harmless(version)}"
    return Message(
        title=f"{name} is released",
        opening=f"{name} is released.",
        middle=_notes(notes),
        closing=_harmless(page, 1_000),
    )


def failed(*, project: str, version: str, why: Iterable[str], is_public: str, command: str, run: str = "") -> Message:
    """The message that a release failed.

    ``why`` has a line for each failure, ``is_public`` says what people can already get, empty if nothing. ``command``
    resumes the release; ``run`` is the address of the run.
    """
    name = f"{_harmless(project)} {_harmless(version)}"
    closing = [_harmless(is_public, _WHY_LIMIT), f"To continue: {_harmless(command, 1_000)}", _harmless(run, 1_000)]
    return Message(
        title=f"The release of {name} failed",
        opening=f"The release of {name} failed.",
        middle="\n".join(_harmless(each, _WHY_LIMIT) for each in why),
        closing="\n".join(filter(None, closing)),
    )


def fit(message: Message, limits: TargetLimits) -> tuple[str, str]:
    r"""The title and the body of a message for a target, within its limits. The middle is cut between lines.

    >>> fit(Message(title="t", opening="one", middle="two\nthree", closing="five"), TargetLimits(title=9, body=20))
    ('t', 'one\n\ntwo\n…\n\nfive')
    """
    title = _shortened(message.title, limits.title) if limits.title > 0 else message.title
    inside = len(title) + 2 if limits.title <= 0 else 0
    room = int(limits.body * _SHARE) - inside
    lines = limits.lines - (1 if limits.title <= 0 else 0) if limits.lines > 0 else 0
    middle = message.middle.split("\n") if message.middle else []
    for kept in range(len(middle), -1, -1):
        more = [_MORE] if kept < len(middle) and kept else []
        parts = (message.opening, "\n".join([*middle[:kept], *more]), message.closing)
        body = "\n\n".join(filter(None, parts))
        if len(body) <= room and (lines <= 0 or body.count("\n") < lines):
            return title, body
    short = message.closing if len(message.closing) <= room else message.opening
    return title, _shortened(short, max(room, 1))


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}{_MORE}"


def _harmless(text: str, limit: int = 300) -> str:
    """One line of untrusted text, without mentions."""
    return without_mentions(clean(text, limit))


def without_mentions(text: str) -> str:
    r"""Break everything that a service may take for a mention.

    >>> without_mentions("@everyone <!channel> a@b").replace("\u200b", "|")
    '@|everyone <|!channel> a@|b'
    """
    return _MENTION.sub(lambda found: f"{found[0]}{_BREAK}", text)


def _notes(body: str) -> str:
    """The notes of a release as lines for a message: without comments, and without how to verify the files."""
    from unmoor.notes.announced import without_markers  # and the readers of notes, which the child does without

    text = without_markers(body).replace("\r\n", "\n")
    text = _COMMENT.sub("", text.rpartition(_VERIFY)[0] or text)
    lines: list[str] = []
    size = 0
    for line in text.split("\n"):
        shown = without_mentions(indented(line, _LINE_LIMIT))
        size += len(shown) + 1
        if size > _NOTES_LIMIT:
            lines.append(_MORE)
            break
        if shown or (lines and lines[-1]):
            lines.append(shown)
    return "\n".join(lines).strip("\n")
