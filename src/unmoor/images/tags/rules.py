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

from unmoor.images.tags.errors import Place
from unmoor.images.tags.fields import fields, lines


class Type(StrEnum):
    """The eight types, from the one that is looked at first."""

    SCHEDULE = "schedule"
    SEMVER = "semver"
    PEP440 = "pep440"
    MATCH = "match"
    EDGE = "edge"
    REF = "ref"
    RAW = "raw"
    SHA = "sha"


PRIORITY: Final[Mapping[Type, float]] = MappingProxyType(
    {
        Type.SCHEDULE: 1000,
        Type.SEMVER: 900,
        Type.PEP440: 900,
        Type.MATCH: 800,
        Type.EDGE: 700,
        Type.REF: 600,
        Type.RAW: 200,
        Type.SHA: 100,
    }
)
DEFAULT: Final = ("type=schedule", "type=ref,event=branch", "type=ref,event=tag", "type=ref,event=pr")
"""The rules where none are given."""

_COMMON: Final = frozenset({"enable", "priority", "prefix", "suffix"})
ATTRIBUTES: Final[Mapping[Type, frozenset[str]]] = MappingProxyType(
    {
        Type.SCHEDULE: _COMMON | {"pattern"},
        Type.SEMVER: _COMMON | {"pattern", "value", "match"},
        Type.PEP440: _COMMON | {"pattern", "value", "match"},
        Type.MATCH: _COMMON | {"pattern", "value", "group"},
        Type.EDGE: _COMMON | {"branch"},
        Type.REF: _COMMON | {"event"},
        Type.RAW: _COMMON | {"value"},
        Type.SHA: _COMMON | {"format"},
    }
)
_EVENTS: Final = ("branch", "tag", "pr")
_FORMATS: Final = ("short", "long")
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,15}(?:\.[0-9]{0,15})?|\.[0-9]{1,15})")


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule: its type and its attributes, as they were written.

    ``prefix`` and ``suffix`` are ``None`` where the flavor's count, ``unknown`` names attributes
    that this type does not have: they change nothing, and are warned of.
    """

    type: Type
    place: Place
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


def parse(texts: Iterable[str]) -> tuple[Rule, ...]:
    """Read rules and put them in the order in which they are looked at: by priority, then as written.

    No rule at all is `DEFAULT`. Raises `ConfigError`, which names the rule, its text and the column.
    """
    places = lines(texts, "rule") or lines(DEFAULT, "rule")
    return tuple(sorted((_rule(place) for place in places), key=lambda rule: -rule.priority))


def _rule(place: Place) -> Rule:
    kind, given = _attributes(place)
    _demand(place, kind, given)
    prefix = given.get("prefix")
    if prefix is None and kind is Type.SHA:
        prefix = "sha-"
    if prefix is None and kind is Type.REF and given["event"] == "pr":
        prefix = "pr-"
    return Rule(
        type=kind,
        place=place,
        priority=_priority(place, given, kind),
        enable=given.get("enable", "true"),
        prefix=prefix,
        suffix=given.get("suffix"),
        pattern=given.get("pattern", "nightly" if kind is Type.SCHEDULE else ""),
        value=given.get("value", ""),
        match=given.get("match", ""),
        group=_group(place, given.get("group", "0")),
        branch=given.get("branch", ""),
        event=given.get("event", ""),
        format=given.get("format", "short"),
        unknown=tuple(key for key in given if key not in ATTRIBUTES[kind]),
    )


def _attributes(place: Place) -> tuple[Type, dict[str, str]]:
    """Split each field at its first ``=``; a field without one (or beginning with it) is the value."""
    kind = Type.RAW
    given: dict[str, str] = {}
    for field in fields(place):
        key, equals, value = field.partition("=")
        if not (key and equals):
            given["value"] = field.strip()
        elif (name := key.strip().lower()) != "type":
            given[name] = value.strip()
        elif value.strip() in set(Type):
            kind = Type(value.strip())
        else:
            raise place.error(
                f"there is no type {value.strip()!r}",
                at=place.text.find(field),
                next_step=f"use one of {', '.join(Type)}",
            )
    return kind, given


def _demand(place: Place, kind: Type, given: Mapping[str, str]) -> None:
    """Refuse a rule that lacks what its type needs, or holds what it cannot hold."""
    needs = {
        Type.SEMVER: "pattern",
        Type.PEP440: "pattern",
        Type.MATCH: "pattern",
        Type.REF: "event",
        Type.RAW: "value",
    }
    missing = needs.get(kind)
    if missing and missing not in given:
        example = {"pattern": "pattern={{version}}", "event": "event=branch", "value": "value=nightly"}[missing]
        raise place.error(f"a rule of type {kind} needs {missing}", next_step=f"add ,{example} to it")
    if kind is Type.REF and given["event"] not in _EVENTS:
        raise place.error(
            f"there is no event {given['event']!r}",
            at=_at(place, "event"),
            next_step=f"use one of {', '.join(_EVENTS)}",
        )
    if kind is Type.SHA and given.get("format", "short") not in _FORMATS:
        raise place.error(
            f"there is no format {given['format']!r}",
            at=_at(place, "format"),
            next_step=f"use one of {', '.join(_FORMATS)}",
        )


def _priority(place: Place, given: Mapping[str, str], kind: Type) -> float:
    text = given.get("priority")
    if text is None:
        return PRIORITY[kind]
    if not _NUMBER.fullmatch(text):
        raise place.error("a priority is a number", at=_at(place, "priority"), next_step="write it as priority=300")
    return float(text)


def _group(place: Place, text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,4}", text):
        raise place.error("a group is a number", at=_at(place, "group"), next_step="write it as group=1")
    return int(text)


def _at(place: Place, attribute: str) -> int:
    found = re.search(rf"(?:^|[,\"])\s*({attribute})\s*=", place.text, re.IGNORECASE)
    return found.start(1) if found else -1
