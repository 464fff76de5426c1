"""What a person does elsewhere before the first release: each item with the values to type, and the check of it.

Sources: the pages of PyPI's documentation on trusted publishers, and GitHub's on environments, immutable releases and
the permissions of a workflow's token.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from unmoor.scaffold.draft import ScaffoldProject
from unmoor.scaffold.release_part import OldPublisher
from unmoor.workflows.facts import WorkflowFacts
from unmoor.workflows.release import release_file
from unmoor.workflows.release_parts import has_staging, hosts, trusts

_OWNER, _NAME = "OWNER", "REPOSITORY"
PENDING_DAYS = 30
"""The index forgets a publisher of a project that does not exist after this time without an upload."""


class ChecklistItem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to do elsewhere.

    ``where`` is an address or a way through menus, ``values`` are what to type, by the label of the field, and
    ``check`` is the check of `unmoor check --access` that verifies it; empty if none does.
    """

    title: str
    where: str
    values: tuple[tuple[str, str], ...] = ()
    note: str = ""
    check: str = ""


def checklist(facts: WorkflowFacts, project: ScaffoldProject, old: OldPublisher) -> Iterator[ChecklistItem]:
    """Yield what a person does before the first release of a project, in an order in which each step works."""
    yield from _environments(facts, project)
    if trusts(facts):
        yield from _publishers(facts, project, old)
    else:
        yield from _tokens(facts, project)
    yield from _registries(facts, project)
    settings = _settings(project)
    yield ChecklistItem(
        title="Let workflows only read by default",
        where=f"{settings}/actions",
        values=(("Workflow permissions", "Read repository contents and packages permissions"),),
        check="workflow-permissions",
    )
    yield ChecklistItem(
        title="Make releases immutable",
        where=f"{settings} (General), the part Releases",
        values=(("Enable release immutability", "on"),),
        check="immutable-releases",
    )
    yield ChecklistItem(
        title="Protect the default branch",
        where=f"{settings}/rules, or: unmoor protect --apply",
        values=(("Target branches", facts.default_branch), ("Require a pull request before merging", "on")),
        check="branch-rules",
    )
    yield ChecklistItem(
        title="Protect the tags of releases",
        where=f"{settings}/rules, or: unmoor protect --apply",
        values=(
            ("Target tags", ", ".join(facts.tags)),
            ("First ruleset", "Restrict creations; bypass for those who release"),
            ("Second ruleset", "Restrict updates, Restrict deletions; no bypass"),
        ),
        check="tag-rules",
    )


def _environments(facts: WorkflowFacts, project: ScaffoldProject) -> Iterator[ChecklistItem]:
    own = facts.settings.workflows
    tags = ("Deployment branches and tags", f"Selected branches and tags; add only the tag rules {_listed(facts.tags)}")
    if has_staging(facts) and own.staging_environment != own.environment:
        yield ChecklistItem(
            title=f"Make the environment {own.staging_environment}",
            where=f"{_settings(project)}/environments",
            values=(("Name", own.staging_environment), tags),
            check="environments",
        )
    yield ChecklistItem(
        title=f"Make the environment {own.environment}, which a person approves",
        where=f"{_settings(project)}/environments",
        values=(("Name", own.environment), ("Required reviewers", "those who may release"), tags),
        note="Remove rules for branches: a branch must not get the identity that publishes.",
        check="environments",
    )


def _publishers(facts: WorkflowFacts, project: ScaffoldProject, old: OldPublisher) -> Iterator[ChecklistItem]:
    own = facts.settings.workflows
    owner, name = _repository(project)
    indexes = [("the index (PyPI)", own.environment, "publisher-index")]
    if has_staging(facts):
        indexes.append(("the staging index (TestPyPI)", own.staging_environment, "publisher-staging"))
    for index, environment, check in indexes:
        yield ChecklistItem(
            title=f"Trust the workflow at {index}",
            where=f"Your projects > {project.name} > Manage > Publishing > GitHub; for a project that is not there yet:"
            " Account > Publishing > Add a new pending publisher",
            values=(
                ("PyPI Project Name (pending publisher only)", project.name),
                ("Owner", owner),
                ("Repository name", name),
                ("Workflow name", release_file(facts)),
                ("Environment name", environment),
            ),
            note=f"A pending publisher expires after {PENDING_DAYS} days without an upload, and reserves no name."
            + _about_old(old, check),
            check=check,
        )


def _about_old(old: OldPublisher, check: str) -> str:
    """What to know if the project was published by a workflow before."""
    if check != "publisher-index" or not old.paths:
        return ""
    secrets = f" After the first release, delete the secrets {', '.join(old.secrets)}." if old.secrets else ""
    if old.renamed:
        names = ", ".join(path.rpartition("/")[2] for path in old.renamed)
        return f" After the first release, remove the publisher of {names}.{secrets}"
    if old.secrets:
        return secrets
    if old.unnamed:
        return (
            " The workflow before had this file name and no environment: a publisher that is there goes on to work, and"
            " is safer with the name of the environment."
        )
    return " The workflow before had this file name and environment: a publisher that is there goes on to work."


def _tokens(facts: WorkflowFacts, project: ScaffoldProject) -> Iterator[ChecklistItem]:
    own = facts.settings.workflows
    secrets = [("UNMOOR_PYPI_PASSWORD", own.environment)]
    if has_staging(facts):
        secrets.append(("UNMOOR_TESTPYPI_PASSWORD", own.staging_environment))
    for secret, environment in secrets:
        yield ChecklistItem(
            title=f"Give the environment {environment} the token of its index",
            where=f"{_settings(project)}/environments > {environment} > Add environment secret",
            values=(("Name", secret), ("Value", "an API token for this project only")),
            check="environments",
        )


def _registries(facts: WorkflowFacts, project: ScaffoldProject) -> Iterator[ChecklistItem]:
    from unmoor.config.registries import GITHUB, variables_of

    for host in hosts(facts):
        if host != GITHUB:
            yield ChecklistItem(
                title=f"Give the workflow a login to {host}",
                where=f"{_settings(project)}/environments > both environments > Add environment secret",
                values=tuple(("Name", name) for name in variables_of(host)),
            )


def _repository(project: ScaffoldProject) -> tuple[str, str]:
    owner, _, name = project.repository.partition("/")
    return owner or _OWNER, name or _NAME


def _settings(project: ScaffoldProject) -> str:
    return f"https://github.com/{'/'.join(_repository(project))}/settings"


def _listed(patterns: tuple[str, ...]) -> str:
    return " and ".join(patterns)
