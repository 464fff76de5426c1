"""The labels and annotations of an image: the OCI ones, then the user's, sorted by key.

Source: the OCI image specification, "Pre-Defined Annotation Keys".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from unmoor.images.tags.context import TagContext
from unmoor.images.tags.dates import iso
from unmoor.images.tags.errors import LONGEST_LINE, RuleError, SourceLine
from unmoor.images.tags.expressions import render
from unmoor.images.tags.fields import MOST_LINES

OCI: Final = "org.opencontainers.image."
# The order of Unicode's collation (CLDR root) over ASCII; letters count by their size only in a tie.
_ORDER: Final = " _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789abcdefghijklmnopqrstuvwxyz"


def labels(
    context: TagContext, version: str, extra: Iterable[str], *, kind: str = "label", compat: bool = False
) -> tuple[tuple[str, str], ...]:
    """Give keys and values, sorted as people sort words. The last of one key wins.

    ``extra`` holds lines ``key=value`` with expressions. Raises `ConfigError` for one without a key,
    or with a character that cannot stand in a label.
    """
    repository = context.repository
    found = {
        f"{OCI}title": repository.title,
        f"{OCI}description": repository.description,
        f"{OCI}url": repository.url,
        f"{OCI}source": repository.url,
        f"{OCI}version": version,
        f"{OCI}created": iso(context.now),
        f"{OCI}revision": context.sha,
        f"{OCI}licenses": repository.licence,
    }
    for place in _lines(extra, kind):
        try:
            text = render(place.text, context.names(), compat=compat)
        except RuleError as wrong:
            raise place.within(place.text, wrong) from wrong
        key, equals, value = text.partition("=")
        if not compat and not (key.strip() and equals):
            raise place.error("this is no key=value", next_step=f"write it as {OCI}vendor=Somebody")
        if equals:
            found[key] = value
    return tuple(sorted(((key, value) for key, value in found.items()), key=lambda pair: collated(pair[0])))


def _lines(extra: Iterable[str], kind: str) -> tuple[SourceLine, ...]:
    """Take one label from each line; here commas and quotes are part of the value, and so are blanks inside."""
    kept = [line.strip() for text in extra for line in text.splitlines() if line.strip()]
    places = tuple(
        SourceLine(kind=kind, number=number, text=line) for number, line in enumerate(kept, 1) if line[0] != "#"
    )
    for place in places:
        if len(places) > MOST_LINES or len(place.text) > LONGEST_LINE or not place.text.isprintable():
            raise place.error(
                f"it holds what cannot be seen, or is one of over {MOST_LINES}, or is over {LONGEST_LINE:,} characters"
            )
    return places


def at_levels(pairs: Iterable[tuple[str, str]], levels: Iterable[str]) -> tuple[str, ...]:
    """Write ``level:key=value`` for each level: the form that BuildKit takes."""
    known = tuple(pairs)
    return tuple(f"{level}:{key}={value}" for level in levels for key, value in known)


def collated(key: str) -> tuple[tuple[int, ...], tuple[bool, ...], str]:
    """Order keys as a dictionary does: punctuation, digits, letters; small before capital only in a tie."""
    ranks = tuple(_ORDER.find(char) if char in _ORDER else len(_ORDER) + ord(char) for char in key.lower())
    return ranks, tuple(char.isupper() for char in key), key
