"""What the commands of unmoor can no longer do under the rules of a repository."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from unmoor.ports.repository_rules import Rule, Ruleset
from unmoor.protection.describe import describe_bypass
from unmoor.protection.proposal import applying
from unmoor.protection.strictness import combined
from unmoor.protection.wanted import CREATION, ProtectionOptions, RulesState, wanted_rulesets


def effects(state: RulesState, rulesets: Iterable[Ruleset]) -> Iterator[str]:
    """Say what ``cut`` and ``undo`` can no longer do under these rulesets, and what to do instead."""
    held = tuple(rulesets)
    branch, creation, keeping = wanted_rulesets(state, ProtectionOptions())
    on_branch, on_tags = applying(held, branch), applying(held, creation)
    if _has(on_branch, "pull_request"):
        yield (
            f"cut can no longer push to {state.branch}: it opens a pull request, and cut --tag then tags the merged"
            f" commit{_but_for(on_branch, 'pull_request')}"
        )
    if _has(on_branch, "required_signatures"):
        yield f"cut can only commit to {state.branch} with a key that signs: git config commit.gpgsign true"
    if _has(on_tags, "creation"):
        own = next((each for each in on_tags if each.name == CREATION), None)
        who = describe_bypass(own) if own is not None else ""
        yield (
            f"cut can push a tag only for those who may bypass the ruleset of its creation{who}; the token of a"
            " workflow cannot"
        )
    if _has(applying(held, keeping), "update"):
        yield (
            "a pushed tag stays on its commit: if a release of it fails for a mistake in the project, correct that and"
            " cut the next version; nobody can move the tag"
        )
    if _has(on_tags, "deletion"):
        yield "undo takes back what is published, but the tag and its version stay used: cut the next version after it"


def _has(rulesets: Iterable[Ruleset], kind: str) -> bool:
    return _rule(rulesets, kind) is not None


def _rule(rulesets: Iterable[Ruleset], kind: str) -> Rule | None:
    return combined(rule for each in rulesets if (rule := each.rule(kind)) is not None)


def _but_for(rulesets: Iterable[Ruleset], kind: str) -> str:
    return next((describe_bypass(each) for each in rulesets if each.rule(kind) is not None and each.bypass), "")
