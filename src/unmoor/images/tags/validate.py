"""Mistakes in rules, found on every event: what a release would stumble over fails on a branch already."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from unmoor.images.tags import patterns
from unmoor.images.tags.context import Context
from unmoor.images.tags.errors import Wrong
from unmoor.images.tags.expressions import Names, render
from unmoor.images.tags.rules import Rule, Type

_ANY: Final = datetime(2000, 1, 1, tzinfo=UTC)
_GLOBAL: Final = Context(now=_ANY, commit_date=_ANY).names()
_PATTERN: Final = {
    Type.SCHEDULE: Names(times=_GLOBAL.times),
    Type.SEMVER: Names(texts=dict.fromkeys(("raw", "version", "major", "minor", "patch", "prerelease", "build"), "")),
    Type.PEP440: Names(texts=dict.fromkeys(("raw", "version", "major", "minor", "patch"), "")),
}


def slashed(pattern: str) -> tuple[str, str]:
    """Split ``/expression/flags``; a pattern without slashes is the expression, and has no flags."""
    found = re.fullmatch(r"/(.+)/(.*)", pattern)
    return (found[1], found[2]) if found else (pattern, "")


def check(rule: Rule) -> None:
    """Read every expression and regular expression of a rule. Raises `ConfigError` for the first that is wrong."""
    for part in (rule.enable, rule.prefix or "", rule.suffix or "", rule.value):
        _read(rule, part, _GLOBAL)
    if rule.type in _PATTERN:
        _read(rule, rule.pattern, _PATTERN[rule.type])
    for source, flags in (slashed(rule.pattern) if rule.type is Type.MATCH else ("", ""), (rule.match, "")):
        try:
            if source:  # the library is not imported for nothing
                patterns.compiled(source, flags)
        except Wrong as wrong:
            raise rule.place.within(source, wrong) from wrong


def _read(rule: Rule, part: str, names: Names) -> None:
    try:
        render(part, names)
    except Wrong as wrong:
        raise rule.place.within(part, wrong) from wrong
