"""Compare the rules of a repository with those that unmoor would have, and propose what is missing.

A rule counts as there if any active ruleset for the same refs has it, whoever set it. What is missing goes into three
rulesets of the repository, by their names; no other ruleset is changed, and none becomes weaker.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

import msgspec

from unmoor import advice
from unmoor.errors import Refused
from unmoor.ports.repository_rules import Rule, Ruleset
from unmoor.protection.describe import describe_bypass, describe_rule, describe_source
from unmoor.protection.strictness import CHECKS, combined, is_as_strict, merged, stricter
from unmoor.protection.wanted import ALL_CHECKS, ProtectionOptions, RulesState, WantedRuleset, wanted_rulesets
from unmoor.util.ref_patterns import BRANCHES, covers, matches
from unmoor.util.text import clean, list_some


class RuleState(StrEnum):
    """What becomes of a rule.

    ``there``: it is there already. ``add``: no ruleset has it. ``change``: a ruleset asks for less. ``unknown``: the
    forge does not show this token enough to tell.
    """

    THERE = "there"
    ADD = "add"
    CHANGE = "change"
    UNKNOWN = "unknown"


class ProposedRule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule: of what, in words, and the rulesets that have it or get it."""

    about: str
    type: str
    what: str
    state: RuleState
    source: str


class RulesetChange(msgspec.Struct, frozen=True, kw_only=True):
    """A ruleset to create, if ``before`` is ``None``, or to replace."""

    before: Ruleset | None
    after: Ruleset


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """What to change, and what to know about it. ``rulesets`` are those that there will be."""

    rules: tuple[ProposedRule, ...]
    changes: tuple[RulesetChange, ...]
    rulesets: tuple[Ruleset, ...]
    notes: tuple[str, ...]

    @property
    def unknown(self) -> tuple[ProposedRule, ...]:
        """The rules of which nobody can tell with this token."""
        return tuple(each for each in self.rules if each.state is RuleState.UNKNOWN)


def propose(state: RulesState, options: ProtectionOptions) -> Proposal:
    """Compare what is there with what is wanted. Raises `Unknown` if a rule cannot be compared."""
    rules: list[ProposedRule] = []
    changes: list[RulesetChange] = []
    for wanted in wanted_rulesets(state, options):
        found, change = _compare(wanted, state.rulesets)
        rules += found
        changes += [change] if change is not None else []
    replaced = {change.before.id: change.after for change in changes if change.before is not None}
    created = tuple(change.after for change in changes if change.before is None)
    return Proposal(
        rules=tuple(rules),
        changes=tuple(changes),
        rulesets=(*(replaced.get(each.id, each) for each in state.rulesets), *created),
        notes=tuple(_notes(state, options)),
    )


def applying(rulesets: Iterable[Ruleset], wanted: WantedRuleset) -> list[Ruleset]:
    """The active rulesets that certainly apply to every ref of a wanted one.

    What somebody excluded from a ruleset of unmoor stays excluded, and counts as wanted so.
    """
    return [each for each in rulesets if each.is_active and each.target == wanted.target and _covers(each, wanted)]


def _covers(ruleset: Ruleset, wanted: WantedRuleset) -> bool:
    if wanted.ref:
        default = wanted.ref.removeprefix(BRANCHES)
        inside, outside = (
            any(matches(wanted.ref, each, default_branch=default) for each in patterns)
            for patterns in (ruleset.include, ruleset.exclude)
        )
        return inside and not outside
    every = all(any(covers(have, want) for have in ruleset.include) for want in wanted.include)
    return every and (not ruleset.exclude or _is(ruleset, wanted))


def _is(ruleset: Ruleset, wanted: WantedRuleset) -> bool:
    """Whether a ruleset is the one that unmoor made. Raises `Refused` if something else has its name."""
    if not ruleset.is_own or ruleset.name != wanted.name:
        return False
    if ruleset.target != wanted.target:
        raise Refused(
            f'there is a ruleset "{wanted.name}" for something else ({clean(ruleset.target, 20)})',
            where=ruleset.source,
            next_step=advice.RENAME_RULESET(),
        )
    return True


def _compare(wanted: WantedRuleset, rulesets: Sequence[Ruleset]) -> tuple[list[ProposedRule], RulesetChange | None]:
    """What becomes of each wanted rule, and the change that takes, if any."""
    applied = applying(rulesets, wanted)
    own = next((each for each in rulesets if _is(each, wanted)), None)
    # With `nobody`, only what certainly nobody may bypass is as strict. An organisation shows that to nobody here.
    firm = [each for each in applied if not wanted.nobody or each.bypass == ()]
    seen_or_hidden = [*firm, *(each for each in applied if wanted.nobody and each.bypass is None and each.is_own)]
    found: list[ProposedRule] = []
    missing: list[Rule] = []
    for rule in wanted.rules:
        holders = _holders(firm, rule)
        if is_as_strict(_effective(firm, rule.type), rule):
            found.append(_proposed(wanted, rule, RuleState.THERE, firm, "; ".join(map(describe_source, holders))))
        elif is_as_strict(_effective(seen_or_hidden, rule.type), rule):
            holders = _holders(seen_or_hidden, rule)
            sources = "; ".join(map(describe_source, holders))
            found.append(_proposed(wanted, rule, RuleState.UNKNOWN, seen_or_hidden, sources))
        else:
            missing.append(rule)
            held = _effective(applied, rule.type) is not None
            found.append(_proposed(wanted, rule, RuleState.CHANGE if held else RuleState.ADD, firm, _target(wanted)))
    if not missing:
        return found, None
    if own is None:
        return found, RulesetChange(before=None, after=wanted.created(tuple(missing)))
    return found, RulesetChange(before=own, after=merged(own, missing, wanted.include, nobody=wanted.nobody))


def _holders(rulesets: Iterable[Ruleset], rule: Rule) -> list[Ruleset]:
    """The rulesets that have the rule by themselves, or else those that have some of it."""
    some = [each for each in rulesets if each.rule(rule.type) is not None]
    return [each for each in some if is_as_strict(each.rule(rule.type), rule)] or some


def _effective(rulesets: Iterable[Ruleset], kind: str) -> Rule | None:
    return combined(rule for each in rulesets if (rule := each.rule(kind)) is not None)


def _proposed(
    wanted: WantedRuleset, rule: Rule, state: RuleState, rulesets: Iterable[Ruleset], source: str
) -> ProposedRule:
    """A rule in words: what will apply, which may be stricter than what is wanted."""
    effective = _effective(rulesets, rule.type)
    what = describe_rule(rule if effective is None else stricter(effective, rule))
    return ProposedRule(about=wanted.about, type=rule.type, what=what, state=state, source=source)


def _target(wanted: WantedRuleset) -> str:
    bypass = "" if wanted.nobody else describe_bypass(wanted.created(()))
    return f'ruleset "{wanted.name}"{bypass}'


def _notes(state: RulesState, options: ProtectionOptions) -> Iterable[str]:
    if state.hidden:
        yield f"the token may not see {list_some(state.hidden)}, so what depends on them is left out"
    elif state.check is None and not _requires_checks(state):
        yield (
            f"{ALL_CHECKS} has not reported on {state.branch} yet, so it is not required: a check that never reports"
            " blocks every pull request; `unmoor workflows write ci` writes it"
        )
    if state.writers is None and options.approvals is None:
        yield "the forge does not show who else may push, so no approval is asked for; --approvals COUNT asks for some"
    elif not state.has_reviewers and options.approvals is None:
        yield "one person may push, so no approval is asked for: nobody else could give it"
    approvals = options.approvals if options.approvals is not None else int(state.has_reviewers)
    if approvals and not state.owners:
        yield (
            "no CODEOWNERS file names owners of the workflows, so nobody in particular has to approve a change to them;"
            f" add such a line to .github/CODEOWNERS: {_owners_line(state)}"
        )
    if state.protected and not any(each.target == "branch" for each in state.rulesets):
        yield f"a branch protection rule protects {state.branch} too; it stays, and the stricter of both counts"
    for each in state.rulesets:
        if each.is_own and each.exclude and each.name in {wanted.name for wanted in wanted_rulesets(state, options)}:
            yield f"{describe_source(each)} excludes some refs, to which its rules do not apply"


def _requires_checks(state: RulesState) -> bool:
    """Whether the check is required already, or may be by other rules than those of rulesets."""
    return any(
        isinstance(check, dict) and check.get("context") == ALL_CHECKS
        for each in state.rulesets
        if (rule := each.rule(CHECKS)) is not None
        for check in rule.parameters.get(CHECKS) or ()
    )


def _owners_line(state: RulesState) -> str:
    names = " ".join(f"@{each}" for each in (state.writers or ())[:5]) or "@NAME"
    return f"/.github/ {names}"
