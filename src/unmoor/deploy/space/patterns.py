"""Which files belong into a Space: patterns of paths, matched against the tracked files of a commit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

_STAR, _STARS = "*", "**"


class PathSelection(msgspec.Struct, frozen=True, kw_only=True):
    """The paths that the patterns select, sorted, and the patterns that select nothing."""

    paths: tuple[str, ...]
    unmatched: tuple[str, ...]


def select(patterns: Sequence[str], names: Iterable[str]) -> PathSelection:
    """Choose the names that a pattern matches as a whole.

    A star stands for anything but a slash, two for any number of folders; case matters.

    >>> select(["app.py", "assets/**", "*.md"], ["app.py", "assets/a/b.png", "docs/x.md", "README.md"]).paths
    ('README.md', 'app.py', 'assets/a/b.png')
    >>> select(["**/*.css", "data/*"], ["a/b.css", "c.css"])
    PathSelection(paths=('a/b.css', 'c.css'), unmatched=('data/*',))
    """
    names = tuple(names)
    found: set[str] = set()
    unmatched = []
    for pattern in patterns:
        form = re.compile(_expression(pattern))
        matching = [name for name in names if form.fullmatch(name)]
        found.update(matching)
        unmatched += [] if matching else [pattern]
    return PathSelection(paths=tuple(sorted(found)), unmatched=tuple(unmatched))


def matches(patterns: Iterable[str], name: str) -> bool:
    """Whether a pattern matches a name as a whole."""
    return any(re.fullmatch(_expression(pattern), name) for pattern in patterns)


def _expression(pattern: str) -> str:
    """A pattern as a regular expression. Each part matches without a slash, so that it takes linear time a star."""
    parts = pattern.split("/")
    *folders, last = parts
    begin = "".join("(?:[^/]+/)*" if part == _STARS else f"{_part(part)}/" for part in folders)
    return begin + (".+" if last == _STARS else _part(last))


def _part(part: str) -> str:
    return "[^/]*".join(re.escape(piece) for piece in re.sub(r"\*+", _STAR, part).split(_STAR))
