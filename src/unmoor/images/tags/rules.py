"""Parse rules, one a line: ``type=semver,pattern={{version}}``. The event does not matter here.

Source: docker/metadata-action, whose rule language this is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import msgspec

from unmoor import advice
from unmoor.images.tags.errors import SourceLine
from unmoor.images.tags.fields import fields, lines


class RuleType(StrEnum):
    """The eight types of rules, in their default order of priority."""

    SCHEDULE = "schedule"
    SEMVER = "semver"
    PEP440 = "pep440"
    MATCH = "match"
    EDGE = "edge"
    REF = "ref"
    RAW = "raw"
    SHA = "sha"


PRIORITY: Final[Mapping[RuleType, float]] = MappingProxyType(
    {
        RuleType.SCHEDULE: 1000,
        RuleType.SEMVER: 900,
        RuleType.PEP440: 900,
        RuleType.MATCH: 800,
        RuleType.EDGE: 700,
        RuleType.REF: 600,
        RuleType.RAW: 200,
        RuleType.SHA: 100,
    }
)
DEFAULT: Final = ("type=schedule", "type=ref,event=branch", "type=ref,event=tag", "type=ref,event=pr")
"""The rules if none are given."""

_COMMON: Final = frozenset({"enable", "priority", "prefix", "suffix"})
ATTRIBUTES: Final[Mapping[RuleType, frozenset[str]]] = MappingProxyType(
    {
        RuleType.SCHEDULE: _COMMON | {"pattern"},
        RuleType.SEMVER: _COMMON | {"pattern", "value", "match"},
        RuleType.PEP440: _COMMON | {"pattern", "value", "match"},
        RuleType.MATCH: _COMMON | {"pattern", "value", "group"},
        RuleType.EDGE: _COMMON | {"branch"},
        RuleType.REF: _COMMON | {"event"},
        RuleType.RAW: _COMMON | {"value"},
        RuleType.SHA: _COMMON | {"format"},
    }
)
_EVENTS: Final = ("branch", "tag", "pr")
_FORMATS: Final = ("short", "long")
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,15}(?:\.[0-9]{0,15})?|\.[0-9]{1,15})")


class TagRule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule: its type and its attributes as written.

    ``prefix`` and ``suffix`` are ``None`` if the flavor's apply. ``unknown`` names attributes that this type does
    not have: they have no effect, and cause a warning.
    """

    type: RuleType
    line: SourceLine
    priority: float
    enable: str = "true"
    prefix: str | None = None
    suffix: str | None = None
    pattern: str = ""
    value: str = ""
    match: str = ""
    group: int = 0
    branch: str = ""
    event: str = ""
    format: str = ""
    unknown: tuple[str, ...] = ()


def parse(texts: Iterable[str]) -> tuple[TagRule, ...]:
    """Parse rules and sort them by priority, then as written.

    Without rules, parse `DEFAULT`. Raises `ConfigError`, which names the rule, its text and the column.
    """
    source_lines = lines(texts, "rule") or lines(DEFAULT, "rule")
    return tuple(sorted((_rule(line) for line in source_lines), key=lambda rule: -rule.priority))


def _rule(line: SourceLine) -> TagRule:
    kind, given = _attributes(line)
    _demand(line, kind, given)
    prefix = given.get("prefix")
    if prefix is None and kind is RuleType.SHA:
        prefix = "sha-"
    if prefix is None and kind is RuleType.REF and given["event"] == "pr":
        prefix = "pr-"
    return TagRule(
        type=kind,
        line=line,
        priority=_priority(line, given, kind),
        enable=given.get("enable", "true"),
        prefix=prefix,
        suffix=given.get("suffix"),
        pattern=given.get("pattern", "nightly" if kind is RuleType.SCHEDULE else ""),
        value=given.get("value", ""),
        match=given.get("match", ""),
        group=_group(line, given.get("group", "0")),
        branch=given.get("branch", ""),
        event=given.get("event", ""),
        format=given.get("format", "short"),
        unknown=tuple(key for key in given if key not in ATTRIBUTES[kind]),
    )


def _attributes(line: SourceLine) -> tuple[RuleType, dict[str, str]]:
    """Split each field at its first ``=``; a field without a key is the value."""
    kind = RuleType.RAW
    given: dict[str, str] = {}
    for field in fields(line):
        key, equals, value = field.partition("=")
        if not (key and equals):
            given["value"] = field.strip()
        elif (name := key.strip().lower()) != "type":
            given[name] = value.strip()
        elif value.strip() in set(RuleType):
            kind = RuleType(value.strip())
        else:
            raise line.error(
                f"there is no rule type {value.strip()!r}",
                at=line.text.find(field),
                next_step=advice.USE_ONE_OF(known=", ".join(RuleType)),
            )
    return kind, given


def _demand(line: SourceLine, kind: RuleType, given: Mapping[str, str]) -> None:
    """Refuse a rule that lacks an attribute that its type needs, or has an invalid value for it."""
    needs = {
        RuleType.SEMVER: "pattern",
        RuleType.PEP440: "pattern",
        RuleType.MATCH: "pattern",
        RuleType.REF: "event",
        RuleType.RAW: "value",
    }
    missing = needs.get(kind)
    if missing and missing not in given:
        example = {"pattern": "pattern={{version}}", "event": "event=branch", "value": "value=nightly"}[missing]
        raise line.error(f"a rule of type {kind} needs {missing}", next_step=advice.ADD_TO_RULE(example=example))
    if kind is RuleType.REF and given["event"] not in _EVENTS:
        raise line.error(
            f"there is no event {given['event']!r}",
            at=_at(line, "event"),
            next_step=advice.USE_ONE_OF(known=", ".join(_EVENTS)),
        )
    if kind is RuleType.SHA and given.get("format", "short") not in _FORMATS:
        raise line.error(
            f"there is no format {given['format']!r}",
            at=_at(line, "format"),
            next_step=advice.USE_ONE_OF(known=", ".join(_FORMATS)),
        )


def _priority(line: SourceLine, given: Mapping[str, str], kind: RuleType) -> float:
    text = given.get("priority")
    if text is None:
        return PRIORITY[kind]
    if not _NUMBER.fullmatch(text):
        raise line.error(
            "a priority must be a number",
            at=_at(line, "priority"),
            next_step=advice.WRITE_IT_AS(example="priority=300"),
        )
    return float(text)


def _group(line: SourceLine, text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,4}", text):
        raise line.error(
            "a group must be a number", at=_at(line, "group"), next_step=advice.WRITE_IT_AS(example="group=1")
        )
    return int(text)


def _at(line: SourceLine, attribute: str) -> int:
    found = re.search(rf"(?:^|[,\"])\s*({attribute})\s*=", line.text, re.IGNORECASE)
    return found.start(1) if found else -1
