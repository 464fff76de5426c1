"""The rules: one line each, such as ``type=semver,pattern={{version}}``. What they say, before any event is looked at.

Source: docker/metadata-action, whose rule language this is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from unmoor.images.tags.errors import SourceLine
from unmoor.images.tags.fields import fields, lines


class RuleType(StrEnum):
    """The eight types, from the one that is looked at first."""

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
"""The rules where none are given."""

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


@dataclass(frozen=True, kw_only=True)
class TagRule:
    """One rule: its type and its attributes, as they were written.

    ``prefix`` and ``suffix`` are ``None`` where the flavor's count, ``unknown`` names attributes
    that this type does not have: they change nothing, and are warned of.
    """

    type: RuleType
    place: SourceLine
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
    """Read rules and put them in the order in which they are looked at: by priority, then as written.

    No rule at all is `DEFAULT`. Raises `ConfigError`, which names the rule, its text and the column.
    """
    places = lines(texts, "rule") or lines(DEFAULT, "rule")
    return tuple(sorted((_rule(place) for place in places), key=lambda rule: -rule.priority))


def _rule(place: SourceLine) -> TagRule:
    kind, given = _attributes(place)
    _demand(place, kind, given)
    prefix = given.get("prefix")
    if prefix is None and kind is RuleType.SHA:
        prefix = "sha-"
    if prefix is None and kind is RuleType.REF and given["event"] == "pr":
        prefix = "pr-"
    return TagRule(
        type=kind,
        place=place,
        priority=_priority(place, given, kind),
        enable=given.get("enable", "true"),
        prefix=prefix,
        suffix=given.get("suffix"),
        pattern=given.get("pattern", "nightly" if kind is RuleType.SCHEDULE else ""),
        value=given.get("value", ""),
        match=given.get("match", ""),
        group=_group(place, given.get("group", "0")),
        branch=given.get("branch", ""),
        event=given.get("event", ""),
        format=given.get("format", "short"),
        unknown=tuple(key for key in given if key not in ATTRIBUTES[kind]),
    )


def _attributes(place: SourceLine) -> tuple[RuleType, dict[str, str]]:
    """Split each field at its first ``=``; a field without one (or beginning with it) is the value."""
    kind = RuleType.RAW
    given: dict[str, str] = {}
    for field in fields(place):
        key, equals, value = field.partition("=")
        if not (key and equals):
            given["value"] = field.strip()
        elif (name := key.strip().lower()) != "type":
            given[name] = value.strip()
        elif value.strip() in set(RuleType):
            kind = RuleType(value.strip())
        else:
            raise place.error(
                f"there is no type {value.strip()!r}",
                at=place.text.find(field),
                next_step=f"use one of {', '.join(RuleType)}",
            )
    return kind, given


def _demand(place: SourceLine, kind: RuleType, given: Mapping[str, str]) -> None:
    """Refuse a rule that lacks what its type needs, or holds what it cannot hold."""
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
        raise place.error(f"a rule of type {kind} needs {missing}", next_step=f"add ,{example} to it")
    if kind is RuleType.REF and given["event"] not in _EVENTS:
        raise place.error(
            f"there is no event {given['event']!r}",
            at=_at(place, "event"),
            next_step=f"use one of {', '.join(_EVENTS)}",
        )
    if kind is RuleType.SHA and given.get("format", "short") not in _FORMATS:
        raise place.error(
            f"there is no format {given['format']!r}",
            at=_at(place, "format"),
            next_step=f"use one of {', '.join(_FORMATS)}",
        )


def _priority(place: SourceLine, given: Mapping[str, str], kind: RuleType) -> float:
    text = given.get("priority")
    if text is None:
        return PRIORITY[kind]
    if not _NUMBER.fullmatch(text):
        raise place.error("a priority is a number", at=_at(place, "priority"), next_step="write it as priority=300")
    return float(text)


def _group(place: SourceLine, text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,4}", text):
        raise place.error("a group is a number", at=_at(place, "group"), next_step="write it as group=1")
    return int(text)


def _at(place: SourceLine, attribute: str) -> int:
    found = re.search(rf"(?:^|[,\"])\s*({attribute})\s*=", place.text, re.IGNORECASE)
    return found.start(1) if found else -1
