"""The environments of the jobs that publish: only the release tags may use them, and a person approves the last one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from unmoor import advice
from unmoor.checks.access.asking import services_of, workflow_facts
from unmoor.checks.model import CheckContext, CheckGroup, CheckLevel, CheckProblem, RepositoryCheck
from unmoor.ports.repository_rules import DeploymentEnvironment
from unmoor.util.ref_patterns import covers
from unmoor.util.text import clean, list_some

if TYPE_CHECKING:
    from unmoor.workflows.facts import WorkflowFacts


def _run(context: CheckContext) -> Iterator[CheckProblem]:
    facts = workflow_facts(context)
    there = {each.name.lower(): each for each in services_of(context).rules.environments()}
    final = facts.settings.workflows.environment
    for name in _names(facts):
        environment = there.get(name.lower())  # their names ignore case
        if environment is None:
            what = "there is no such environment: the first job that names it makes one that any branch may use"
            yield _problem(name, what, facts)
            continue
        yield from _refs(environment, facts)
        if name == final and not environment.reviewers:
            what = "nobody has to approve its jobs, so whatever pushes a tag publishes"
            yield _problem(name, what, facts, level=CheckLevel.WARNING)


def _names(facts: WorkflowFacts) -> tuple[str, ...]:
    """The environments of the release workflow, each once."""
    from unmoor.workflows.release_parts import has_staging

    own = facts.settings.workflows
    names = (*((own.staging_environment,) if has_staging(facts) else ()), own.environment)
    return tuple(dict.fromkeys(names))


def _refs(environment: DeploymentEnvironment, facts: WorkflowFacts) -> Iterator[CheckProblem]:
    """Compare which branches and tags may use an environment with the release tags."""
    name, policies = environment.name, environment.policies
    if environment.protected_only:
        yield _problem(name, "only protected branches may use it, and a release runs on a tag", facts)
        return
    if policies is None:
        yield _problem(name, "any branch may use it, and so publish", facts)
        return
    branches = [clean(each.name, 100) for each in policies if each.type != "tag"]
    if branches:
        yield _problem(name, f"branches may use it, and so publish: {list_some(branches)}", facts)
    tags = [each.name for each in policies if each.type == "tag"]
    missing = [tag for tag in facts.tags if not any(covers(each, tag) for each in tags)]
    if len(missing) == len(facts.tags):
        yield _problem(name, f"no rule lets the tags {list_some(missing)} use it", facts)
    elif missing:
        what = f"tags of the form {list_some(missing)} may not use it, so a release of one fails"
        yield _problem(name, what, facts, level=CheckLevel.WARNING)


def _problem(name: str, what: str, facts: WorkflowFacts, *, level: CheckLevel | None = None) -> CheckProblem:
    step = advice.SET_UP_ENVIRONMENT(environment=clean(name, 100), tags=" and ".join(facts.tags))
    return CheckProblem(what=f"{clean(name, 100)}: {what}", next_step=step, level=level)


CHECK = RepositoryCheck(
    id="environments",
    group=CheckGroup.ACCESS,
    level=CheckLevel.CRITICAL,
    title="Only release tags may use the environments of the jobs that publish, and a person approves the last one",
    reads="the environments of the repository, and the settings `environment` and `staging-environment`",
    remedy="add the tag rules to the environment, remove its branch rules, and name required reviewers",
    run=_run,
)
