"""Which of two rules is stricter. Rules of several rulesets all apply, so their strictest parts count together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from unmoor import advice
from unmoor.errors import Unknown
from unmoor.ports.repository_rules import BypassActor, Rule, Ruleset
from unmoor.util.values import replace

CHECKS = "required_status_checks"
_ENFORCEMENTS = ("disabled", "evaluate", "active")


def stricter(first: Rule, second: Rule) -> Rule:
    """A rule of the same type that asks for all that either does. What only one of them says stays.

    Raises `Unknown` if they cannot be compared.
    """
    merged = dict(first.parameters)
    for name, value in second.parameters.items():
        merged[name] = _stricter_value(first.type, name, merged[name], value) if name in merged else value
    return replace(first, parameters=merged)


def combined(rules: Iterable[Rule]) -> Rule | None:
    """All that rules of one type ask for together, ``None`` if there is no rule."""
    found: Rule | None = None
    for rule in rules:
        found = rule if found is None else stricter(found, rule)
    return found


def is_as_strict(rule: Rule | None, wanted: Rule) -> bool:
    """Whether a rule asks for all that another one of its type does. Raises `Unknown` if they cannot be compared.

    A word or a list that unmoor never asks for has to be the same.
    """
    if rule is None:
        return False
    have = rule.parameters
    # A parameter that is off asks for nothing, and the forge leaves out some of those.
    return all(
        not value or (name in have and _is_as_strict(rule.type, name, have[name], value))
        for name, value in wanted.parameters.items()
    )


def _is_as_strict(kind: str, name: str, have: Any, value: Any) -> bool:
    if name == CHECKS or isinstance(value, int):
        return bool(_stricter_value(kind, name, have, value) == have)
    return bool(have == value)


def _stricter_value(kind: str, name: str, first: Any, second: Any) -> Any:
    if isinstance(first, bool) and isinstance(second, bool):
        return first or second
    if isinstance(first, int) and isinstance(second, int):
        return max(first, second)
    if name == CHECKS and isinstance(first, list | tuple) and isinstance(second, list | tuple):
        known = {_context(kind, each) for each in first}
        return [*first, *(each for each in second if _context(kind, each) not in known)]
    if type(first) is type(second):
        return first  # a word or a list that unmoor never asks for
    raise _unreadable(kind, name)


def _context(kind: str, check: Any) -> str:
    context = check.get("context") if isinstance(check, dict) else None
    if not isinstance(context, str):
        raise _unreadable(kind, CHECKS)
    return context


def _unreadable(kind: str, name: str) -> Unknown:
    return Unknown(
        f"the rule {kind} has the parameter {name} in a form that unmoor does not understand",
        next_step=advice.REPORT_IT(),
        retryable=False,
    )


def merged(before: Ruleset, wanted: Iterable[Rule], include: Iterable[str], *, nobody: bool) -> Ruleset:
    """A ruleset with what it has and the wanted rules for more refs, active; with ``nobody`` none may bypass it."""
    rules = {each.type: each for each in before.rules}
    for rule in wanted:
        rules[rule.type] = stricter(rules[rule.type], rule) if rule.type in rules else rule
    return replace(
        before,
        rules=tuple(rules.values()),
        include=tuple(dict.fromkeys((*before.include, *include))),
        enforcement="active",
        bypass=() if nobody else before.bypass,
    )


def is_weaker(after: Ruleset, before: Ruleset) -> bool:
    """Whether a ruleset asks for less than it did: of fewer refs, of more people, or fewer or weaker rules."""
    rules = {each.type: each for each in after.rules}
    actors: tuple[BypassActor, ...] = before.bypass or ()
    return (
        after.target != before.target
        or not set(before.include) <= set(after.include)
        or not set(after.exclude) <= set(before.exclude)
        or _ENFORCEMENTS.index(after.enforcement) < _ENFORCEMENTS.index(before.enforcement)
        or after.bypass is None
        or any(each not in actors for each in after.bypass)
        or any(not is_as_strict(rules.get(each.type), each) for each in before.rules)
    )
