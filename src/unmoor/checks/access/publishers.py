"""The publishers at the indexes. No API shows them: what counts is who uploaded the last release, or a person's look.

An index says of a file with attestations which publisher uploaded it. That one was there then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from unmoor import advice
from unmoor.advice import NOTHING
from unmoor.checks.access.asking import services_of, workflow_facts
from unmoor.checks.model import (
    CheckContext,
    CheckGroup,
    CheckLevel,
    CheckProblem,
    CheckRemark,
    RepositoryCheck,
    skip,
)
from unmoor.errors import Unknown
from unmoor.util.text import clean, list_some

if TYPE_CHECKING:
    from unmoor.ports.index import Index, Publisher
    from unmoor.workflows.facts import WorkflowFacts

Run = Callable[[CheckContext], Iterator[CheckProblem | CheckRemark]]
_PENDING_DAYS = 30
_CLOSED = {"archived": advice.UNARCHIVE_PROJECT, "quarantined": advice.ASK_TO_LIFT_QUARANTINE}


def _of(*, staging: bool) -> Run:
    """The check of one index."""

    def run(context: CheckContext) -> Iterator[CheckProblem | CheckRemark]:
        from unmoor.ports.index import Publisher
        from unmoor.workflows.release import release_file
        from unmoor.workflows.release_parts import has_staging, trusts

        facts = workflow_facts(context)
        if staging and not has_staging(facts):
            skip('testpypi = "off" in [tool.unmoor]')
        services = services_of(context)
        index = services.staging if staging else services.index
        if index is None:
            skip("this world has no staging index")
        own = facts.settings.workflows
        environment = own.staging_environment if staging else own.environment
        status = index.status(facts.project)
        if status is not None and status.takes_uploads is False:
            step = _CLOSED.get(status.marker)
            yield CheckProblem(
                what=f"the project {facts.project} is {clean(status.marker, 40)} on {index.name}, which takes no files",
                next_step=step(index=index.name) if step else NOTHING,
            )
            return
        if not trusts(facts):
            raise Unknown(
                f"the token for {index.name} is a secret of the environment {environment}, which nobody can read",
                next_step=advice.LOOK_AT_SECRET(environment=environment),
                retryable=False,
            )
        # A world file may name the repository, which then is the end of its address.
        repository = context.repository() or "/".join(services.rules.address.rsplit("/", 2)[-2:])
        expected = Publisher(
            kind="GitHub", repository=repository, workflow=release_file(facts), environment=environment
        )
        yield from _compare(index, facts, expected, is_there=status is not None)

    return run


def _compare(
    index: Index, facts: WorkflowFacts, expected: Publisher, *, is_there: bool
) -> Iterator[CheckProblem | CheckRemark]:
    """Compare who uploaded the newest release with who is to upload. Raises `Unknown` if nobody can tell."""
    step = advice.LOOK_AT_PUBLISHERS(
        index=index.name,
        repository=expected.repository,
        workflow=expected.workflow,
        environment=expected.environment,
    )
    if not is_there:
        raise Unknown(
            f"{index.name} has no project {facts.project} yet, and shows a pending publisher only to its owner; it"
            f" expires after {_PENDING_DAYS} days without an upload",
            next_step=step,
            retryable=False,
        )
    version, publishers = _uploaders(index, facts.project)
    if not publishers:
        raise Unknown(
            f"{index.name} shows its publishers only to the project's owners", next_step=step, retryable=False
        )
    if any(_is(each, expected) for each in publishers):
        yield CheckRemark(
            what=f"{index.name}: {version} was uploaded by that publisher; whether it is still there, only the owners"
            " see"
        )
        return
    raise Unknown(
        f"{index.name}: {version} was uploaded by {list_some([_words(each) for each in publishers])}; whether it takes"
        f" files of {_words(expected)} too, only the project's owners see",
        next_step=step,
        retryable=False,
    )


def _uploaders(index: Index, project: str) -> tuple[str, tuple[Publisher, ...]]:
    """The newest version on the index, and the publishers of its files as far as the index says."""
    versions = index.versions(project)
    if not versions:
        return "", ()
    newest = str(max(versions))
    listed = [each for each in index.holding(project, newest).simple.values() if each.provenance][:1]
    found = [said.publisher for each in listed for said in index.provenance(each)]
    return newest, tuple(dict.fromkeys(found))


def _is(publisher: Publisher, expected: Publisher) -> bool:
    """Whether a job of the expected workflow is that publisher, which may name no environment."""
    return (
        publisher.kind == expected.kind
        and publisher.workflow == expected.workflow
        and publisher.environment in {"", expected.environment}
        and publisher.repository.lower() == expected.repository.lower()
    )


def _words(publisher: Publisher) -> str:
    where = f", environment {clean(publisher.environment, 100)}" if publisher.environment else ""
    return f"{clean(publisher.workflow or publisher.kind, 100)} of {clean(publisher.repository, 200)}{where}"


INDEX = RepositoryCheck(
    id="publisher-index",
    group=CheckGroup.ACCESS,
    level=CheckLevel.CRITICAL,
    title="The index takes files of the project from the release workflow",
    reads="the project on the index, and who uploaded its newest release; nobody can read its list of publishers",
    remedy="compare the values with the page Publishing of the project, or of your account for a new project",
    run=_of(staging=False),
)
STAGING = RepositoryCheck(
    id="publisher-staging",
    group=CheckGroup.ACCESS,
    level=CheckLevel.CRITICAL,
    title="The staging index takes files of the project from the release workflow",
    reads="the same, on the staging index",
    remedy="compare the values with the page Publishing there",
    run=_of(staging=True),
)
