"""Run ``unmoor protect``: read the rules, print what is there and what is missing, and with ``--apply`` add that."""

from __future__ import annotations

import os
from functools import partial

import click
import msgspec

from unmoor.adapters.factory import create_services
from unmoor.adapters.git.checkout import GitCheckout
from unmoor.adapters.process.supervisor import Processes
from unmoor.ci.github_actions import RunContext
from unmoor.cli import output
from unmoor.cli.resolve_project import open_world, read_sources, resolve_checkout, resolve_project
from unmoor.cli.run_options import TargetOptions
from unmoor.ports.repository_rules import RepositoryRules, Ruleset
from unmoor.project import read_facts
from unmoor.protection.apply import apply as apply_proposal
from unmoor.protection.apply import require_administration, require_applied
from unmoor.protection.effects import effects
from unmoor.protection.proposal import Proposal, ProposedRule, RuleState, propose
from unmoor.protection.reading import CODE_OWNERS, owns_workflows, read_state
from unmoor.protection.wanted import ProtectionOptions, RulesState
from unmoor.util.text import clean, count_of
from unmoor.workflows.facts import tag_patterns


class ProtectDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The output of ``protect --json``.

    ``rulesets`` are those that there will be, or with ``applied`` are there now. ``effects`` are what other commands
    can no longer do.
    """

    repository: str
    branch: str
    tags: tuple[str, ...]
    applied: bool
    rules: tuple[ProposedRule, ...]
    rulesets: tuple[Ruleset, ...]
    notes: tuple[str, ...]
    effects: tuple[str, ...]


class ProtectedProject(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of a repository, and what the checkout says about it."""

    rules: RepositoryRules
    tags: tuple[str, ...]
    owners: bool

    def read(self) -> RulesState:
        """Read what is there."""
        return read_state(self.rules, self.tags, owners=self.owners)


def run(target: TargetOptions, *, apply: bool, approvals: int | None, signed: bool, as_json: bool) -> int:
    """Print the rules on stdout and what to know about them on stderr, and return the exit code.

    Raises `Denied` without the permission before anything is written, and `Conflict` if there are other rules then.
    """
    options = ProtectionOptions(approvals=approvals, signed=signed)
    with Processes() as processes, processes.guarded():
        project = open_protected(target, processes)
        state = project.read()
        proposal = propose(state, options)
        if apply:
            require_administration(project.rules, state.repository)
            apply_proposal(proposal, project.rules, say=lambda line: output.err(clean(line, 300)))
            state = project.read()
            after = propose(state, options)
            require_applied(after, project.rules)
            _print(state, after, applied=True, as_json=as_json)
            output.err("nothing to change" if not proposal.changes else f"{_changes(proposal)} written")
            return 0
    _print(state, proposal, applied=False, as_json=as_json)
    if proposal.changes:
        output.err(f"would write {_changes(proposal)}; to write, add --apply")
    elif proposal.unknown:
        output.err("only an administrator's token sees whether all of these rules are there")
    else:
        output.err("nothing to change")
    return 0


def open_protected(target: TargetOptions, processes: Processes) -> ProtectedProject:
    """Open the rules of the project's repository, by the settings of the last commit.

    Raises `Refused` if there is no repository on the forge, and `ConfigError` for wrong settings.
    """
    sources = read_sources(target.config)
    checkout = resolve_checkout(target, sources, processes, tag=None)
    project = resolve_project(checkout, checkout.head(), sources, RunContext.from_environ(os.environ))
    world = open_world(target.world, project, repository=project.repository)
    name = project.settings.project
    if not name and checkout.path and project.commit is not None:
        name = read_facts(partial(checkout.read, project.commit)).name
    return ProtectedProject(
        rules=create_services(world, target.folder, processes).rules,
        tags=tag_patterns(project.settings.tag_prefix, project=name if checkout.path else ""),
        owners=_has_owners(checkout, project.commit),
    )


def _has_owners(checkout: GitCheckout, commit: str | None) -> bool:
    if commit is None:
        return False
    top = checkout.at("")
    for name in CODE_OWNERS:
        if (data := top.read(commit, name)) is not None:
            return owns_workflows(data.decode(errors="replace"))
    return False


def _print(state: RulesState, proposal: Proposal, *, applied: bool, as_json: bool) -> None:
    will = tuple(effects(state, proposal.rulesets))
    if as_json:
        from unmoor.cli.session import echo_json  # it has the whole release

        echo_json(
            ProtectDocument(
                repository=state.repository.full_name,
                branch=state.branch,
                tags=state.tags,
                applied=applied,
                rules=proposal.rules,
                rulesets=proposal.rulesets,
                notes=proposal.notes,
                effects=will,
            )
        )
    else:
        rows = [(each.about, each.state.value, each.what, each.source) for each in proposal.rules]
        for line in output.align_columns(("of", "state", "rule", "where"), rows):
            click.echo(line)
    for line in proposal.notes:
        output.err(f"note: {clean(line, 500)}")
    for line in will:
        output.err(f"then: {clean(line, 500)}")


def _changes(proposal: Proposal) -> str:
    missing = [each for each in proposal.rules if each.state in {RuleState.ADD, RuleState.CHANGE}]
    return f"{count_of(len(missing), 'rule')} in {count_of(len(proposal.changes), 'ruleset')}"
