"""Check rules on every event, so that a mistake that would break a release fails on a branch already."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from unmoor.images.tags import patterns
from unmoor.images.tags.context import TagContext
from unmoor.images.tags.errors import RuleError
from unmoor.images.tags.expressions import Names, render
from unmoor.images.tags.rules import RuleType, TagRule

_ANY: Final = datetime(2000, 1, 1, tzinfo=UTC)
_GLOBAL: Final = TagContext(now=_ANY, commit_date=_ANY).names()
_PATTERN: Final = {
    RuleType.SCHEDULE: Names(times=_GLOBAL.times),
    RuleType.SEMVER: Names(
        texts=dict.fromkeys(("raw", "version", "major", "minor", "patch", "prerelease", "build"), "")
    ),
    RuleType.PEP440: Names(texts=dict.fromkeys(("raw", "version", "major", "minor", "patch"), "")),
}


def split_slashes(pattern: str) -> tuple[str, str]:
    """Split ``/expression/flags``; a pattern without slashes has no flags."""
    found = re.fullmatch(r"/(.+)/(.*)", pattern)
    return (found[1], found[2]) if found else (pattern, "")


def check(rule: TagRule) -> None:
    """Parse every expression and regular expression of a rule. Raises `ConfigError` for the first invalid one."""
    for part in (rule.enable, rule.prefix or "", rule.suffix or "", rule.value):
        _read(rule, part, _GLOBAL)
    if rule.type in _PATTERN:
        _read(rule, rule.pattern, _PATTERN[rule.type])
    for source, flags in (split_slashes(rule.pattern) if rule.type is RuleType.MATCH else ("", ""), (rule.match, "")):
        try:
            if source:  # import the library only if it is needed
                patterns.compile_pattern(source, flags)
        except RuleError as wrong:
            raise rule.line.within(source, wrong) from wrong


def _read(rule: TagRule, part: str, names: Names) -> None:
    try:
        render(part, names)
    except RuleError as wrong:
        raise rule.line.within(part, wrong) from wrong
