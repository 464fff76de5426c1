"""Patterns of paths in the settings of checks."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase


def matching(pattern: str, names: Iterable[str]) -> tuple[str, ...]:
    """The names that one of the patterns, separated by ``|``, matches as a whole. Case does not matter.

    A star stands for anything but a slash.

    >>> matching("license*|docs/*.md", ["LICENSE.txt", "docs/b.md", "src/license", "docs/a/b.md"])
    ('LICENSE.txt', 'docs/b.md')
    """
    forms = [each.lower().split("/") for each in pattern.split("|")]
    return tuple(name for name in names if any(_fits(form, name.lower().split("/")) for form in forms))


def _fits(form: list[str], parts: list[str]) -> bool:
    return len(form) == len(parts) and all(fnmatchcase(part, each) for part, each in zip(parts, form, strict=True))
