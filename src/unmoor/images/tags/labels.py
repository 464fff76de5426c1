"""The labels and annotations of an image: OCI's and the user's, sorted by key.

Source: the OCI image specification, "Pre-Defined Annotation Keys".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from unmoor import advice
from unmoor.images.tags.context import TagContext
from unmoor.images.tags.dates import iso
from unmoor.images.tags.errors import LONGEST_LINE, RuleError, SourceLine
from unmoor.images.tags.expressions import render
from unmoor.images.tags.fields import MOST_LINES

OCI: Final = "org.opencontainers.image."
# The order of Unicode's collation (CLDR root) over ASCII; case counts only in a tie.
_ORDER: Final = " _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789abcdefghijklmnopqrstuvwxyz"


def labels(
    context: TagContext, version: str, extra: Iterable[str], *, kind: str = "label", compat: bool = False
) -> tuple[tuple[str, str], ...]:
    """Return keys and values, sorted in dictionary order. The last value of a key wins.

    ``extra`` holds lines ``key=value`` with expressions. Raises `ConfigError` for a line without a key, or with
    an invalid character.
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
    for line in _lines(extra, kind):
        try:
            text = render(line.text, context.names(), compat=compat)
        except RuleError as wrong:
            raise line.within(line.text, wrong) from wrong
        key, equals, value = text.partition("=")
        if not compat and not (key.strip() and equals):
            raise line.error("this is not key=value", next_step=advice.WRITE_IT_AS(example=f"{OCI}vendor=Somebody"))
        if equals:
            found[key] = value
    return tuple(sorted(((key, value) for key, value in found.items()), key=lambda pair: collation_key(pair[0])))


def _lines(extra: Iterable[str], kind: str) -> tuple[SourceLine, ...]:
    """Read one label from each line; commas, quotes and inner blanks are part of the value."""
    kept = [line.strip() for text in extra for line in text.splitlines() if line.strip()]
    source_lines = tuple(
        SourceLine(kind=kind, number=number, text=line) for number, line in enumerate(kept, 1) if line[0] != "#"
    )
    for line in source_lines:
        if len(source_lines) > MOST_LINES or len(line.text) > LONGEST_LINE or not line.text.isprintable():
            raise line.error(
                f"it has a non-printable character, over {LONGEST_LINE:,} characters, or too many lines with it"
            )
    return source_lines


def at_levels(pairs: Iterable[tuple[str, str]], levels: Iterable[str]) -> tuple[str, ...]:
    """Write ``level:key=value`` for each level, the form that BuildKit accepts."""
    known = tuple(pairs)
    return tuple(f"{level}:{key}={value}" for level in levels for key, value in known)


def collation_key(key: str) -> tuple[tuple[int, ...], tuple[bool, ...], str]:
    """Sort key for dictionary order: punctuation, digits, letters; lower case before upper case only in a tie."""
    ranks = tuple(_ORDER.find(char) if char in _ORDER else len(_ORDER) + ord(char) for char in key.lower())
    return ranks, tuple(char.isupper() for char in key), key
