"""Rules, rulesets and those who may bypass them, in words."""

from __future__ import annotations

from unmoor.ports.repository_rules import BypassActor, Rule, Ruleset
from unmoor.protection.strictness import CHECKS
from unmoor.protection.wanted import ROLES
from unmoor.util.text import clean, count_of, list_some

_PLAIN = {
    "creation": "only those who may bypass it create them",
    "deletion": "nobody deletes it",
    "non_fast_forward": "no forced push",
    "update": "nobody moves it",
    "required_signatures": "signed commits",
    "required_linear_history": "linear history",
    "merge_queue": "merge queue",
}
_WHO = {"OrganizationAdmin": "owners of the organisation", "DeployKey": "deploy keys", "Integration": "app"}
_LEVELS = {"Organization": "organisation", "Enterprise": "enterprise"}


def describe_rule(rule: Rule) -> str:
    """Say what a rule asks for, in a few words."""
    values = rule.parameters
    if rule.type == "pull_request":
        parts = [count_of(int(values.get("required_approving_review_count") or 0), "approval")]
        parts += ["stale reviews dismissed"] if values.get("dismiss_stale_reviews_on_push") else []
        parts += ["by the code owners"] if values.get("require_code_owner_review") else []
        return f"pull request ({', '.join(parts)})"
    if rule.type == CHECKS:
        checks = values.get(CHECKS)
        names = [clean(str(each.get("context")), 100) for each in checks or () if isinstance(each, dict)]
        fresh = " on an up-to-date branch" if values.get("strict_required_status_checks_policy") else ""
        return f"required check{'s' if len(names) > 1 else ''} {list_some(names)}{fresh}"
    return _PLAIN.get(rule.type, clean(rule.type, 60).replace("_", " "))


def describe_source(ruleset: Ruleset) -> str:
    """Name a ruleset, and whose it is if it is not the repository's own."""
    name = f'ruleset "{clean(ruleset.name, 100)}"'
    whose = "" if ruleset.is_own else f" of the {_LEVELS.get(ruleset.level, 'owner')} {clean(ruleset.source, 100)}"
    return f"{name}{whose}{describe_bypass(ruleset)}"


def describe_bypass(ruleset: Ruleset) -> str:
    """Who may bypass a ruleset, in brackets; empty if nobody may."""
    if ruleset.bypass is None:
        return " (who may bypass it is not shown)"
    who = list(dict.fromkeys(map(_actor, ruleset.bypass)))
    return f" (can be bypassed by {list_some(who)})" if who else ""


def _actor(actor: BypassActor) -> str:
    if actor.kind == "RepositoryRole" and actor.id in ROLES:
        return f"the role {ROLES[actor.id]}"
    number = f" {actor.id}" if actor.id is not None and actor.kind not in {"OrganizationAdmin", "DeployKey"} else ""
    return f"{_WHO.get(actor.kind, clean(actor.kind, 40).lower())}{number}"
