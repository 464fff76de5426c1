"""Write what a proposal changes, ruleset by ruleset. Each is complete by itself, so a run that stopped can go on."""

from __future__ import annotations

from collections.abc import Callable

from unmoor import advice
from unmoor.errors import Conflict, Denied, Internal, UnmoorError
from unmoor.ports.repository_rules import RepositoryRules, RuledRepository
from unmoor.protection.proposal import Proposal
from unmoor.protection.strictness import is_weaker


def require_administration(rules: RepositoryRules, repository: RuledRepository) -> None:
    """Raise `Denied` if the token cannot change rules, as far as the forge says."""
    if not rules.has_token():
        raise Denied("there is no token", where=rules.address, next_step=advice.GRANT_ADMINISTRATION())
    if repository.can_administer is False:
        raise Denied(
            "the token's user does not administer the repository",
            where=rules.address,
            next_step=advice.GRANT_ADMINISTRATION(),
        )


def apply(proposal: Proposal, rules: RepositoryRules, *, say: Callable[[str], None]) -> None:
    """Create and replace the rulesets of a proposal.

    Raises `Denied`, also before the first write if a ruleset is not shown as a whole; `Rejected`, `Unknown`. An error
    after the first write says what is written.
    """
    for change in proposal.changes:
        before = change.before
        if before is not None and before.bypass is None:
            raise Denied(
                f'the forge does not show who may bypass the ruleset "{before.name}", so it cannot be replaced',
                where=rules.address,
                next_step=advice.GRANT_ADMINISTRATION(),
            )
        if before is not None and is_weaker(change.after, before):
            raise Internal(f'the ruleset "{before.name}" would be weaker', next_step=advice.REPORT_IT())
    for number, change in enumerate(proposal.changes):
        try:
            done = rules.create(change.after) if change.before is None else rules.update(change.after)
        except UnmoorError as error:
            if not number:
                raise
            raise error.amended(also=f"{number} of {len(proposal.changes)} rulesets are written") from error
        say(f'{"created" if change.before is None else "changed"} the ruleset "{done.name}"')


def require_applied(proposal: Proposal, rules: RepositoryRules) -> None:
    """Raise `Conflict` if the forge shows other rules than those that were written."""
    if proposal.changes:
        names = ", ".join(f'"{change.after.name}"' for change in proposal.changes)
        raise Conflict(
            f"the forge shows other rules than those that were written to {names}: did somebody change them meanwhile?",
            where=rules.address,
            next_step=advice.COMPARE_RULES(),
        )
