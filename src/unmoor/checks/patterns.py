"""Patterns of paths in the settings of checks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase


def matching(pattern: str, names: Iterable[str]) -> tuple[str, ...]:
    """The names that one of the patterns, separated by ``|``, matches as a whole. Case does not matter.

    A star stands for anything but a slash.

    >>> matching("license*|docs/*.md", ["LICENSE.txt", "docs/b.md", "src/license", "docs/a/b.md"])
    ('LICENSE.txt', 'docs/b.md')
    """
    forms: dict[int, list[list[str]]] = {}
    for each in pattern.lower().split("|"):
        forms.setdefault(each.count("/"), []).append(each.split("/"))
    # Most names of a large project are deeper than every pattern.
    alike = ((name, forms.get(name.count("/"), ())) for name in names)
    return tuple(name for name, some in alike if some and _fits(some, name.lower().split("/")))


def _fits(forms: Sequence[list[str]], parts: list[str]) -> bool:
    return any(all(map(fnmatchcase, parts, form)) for form in forms)
