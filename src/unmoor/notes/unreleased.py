"""Recognise the heading of changes that have not been released yet, such as "Unreleased" or "Latest Changes"."""

from __future__ import annotations

import re

from unmoor.notes.reading import word_set

_WORDS = word_set(
    "unreleased latest next upcoming master main dev devel develop development trunk head wip tbd tba pending future "
    "forthcoming"
)
# Words that may accompany them.
_BESIDE = word_set(
    "changes change release releases version versions in on the to be not yet released branch git under still work "
    "progress current yyyy-mm-dd xxxx-xx-xx xx-xx-xxxx date for and a pypi"
)
_APART = re.compile(r"[\s\[\](){}<>,;:|/\"'`*_~.!\u2013\u2014]+")
_LONG = 100
_PHRASES = ("not yet released", "to be released", "in progress", "not released")


def is_unreleased(text: str) -> bool:
    """Whether a heading says that what follows is not released, and names no version."""
    words = [word for word in _APART.split(text[:_LONG].lower()) if word.strip("-#")]
    if not words or len(text) > _LONG or not all(word in _WORDS or word in _BESIDE for word in words):
        return False
    return any(word in _WORDS for word in words) or any(phrase in " ".join(words) for phrase in _PHRASES)


def without_unreleased_line(text: str) -> tuple[str, bool]:
    """Drop a first paragraph of Markdown that consists of "Unreleased", and say whether there was one."""
    first, _, rest = text.lstrip("\n").partition("\n")
    paragraph_ends = not rest or rest[0] == "\n"
    if paragraph_ends and not first.startswith("#") and is_unreleased(first.removeprefix("Release date:")):
        return rest.strip("\n"), True
    return text, False
