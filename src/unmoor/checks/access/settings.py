"""Settings of the repository on the forge that only its administrators see: what workflows may do, and immutability."""

from __future__ import annotations

from collections.abc import Iterator

from unmoor import advice
from unmoor.checks.access.asking import administered
from unmoor.checks.model import CheckContext, CheckGroup, CheckLevel, CheckProblem, RepositoryCheck


def _workflow_permissions(context: CheckContext) -> Iterator[CheckProblem]:
    seen = administered(context).workflow_permissions()
    if seen.default != "read":
        yield CheckProblem(
            what="a job whose workflow names no permissions gets a token that may write to the repository",
            next_step=advice.RESTRICT_WORKFLOWS(),
        )
    if seen.may_approve:
        yield CheckProblem(
            what="workflows may approve pull requests, so an approval need not come from a person",
            next_step=advice.RESTRICT_WORKFLOWS(),
        )


def _immutable_releases(context: CheckContext) -> Iterator[CheckProblem]:
    if not administered(context).immutable_releases():
        yield CheckProblem(
            what="files of a published release can be replaced, and its tag can be moved",
            next_step=advice.MAKE_RELEASES_IMMUTABLE(),
        )


WORKFLOW_PERMISSIONS = RepositoryCheck(
    id="workflow-permissions",
    group=CheckGroup.ACCESS,
    level=CheckLevel.WARNING,
    title="Workflows only read by default, and approve no pull request",
    reads="the permissions of GitHub Actions in the repository's settings, which only administrators see",
    remedy="set Workflow permissions to read on the page Actions of the repository's settings",
    run=_workflow_permissions,
)
IMMUTABLE_RELEASES = RepositoryCheck(
    id="immutable-releases",
    group=CheckGroup.ACCESS,
    level=CheckLevel.WARNING,
    title="Published releases are immutable",
    reads="the release settings of the repository, which only administrators see",
    remedy="enable release immutability in the repository's settings",
    run=_immutable_releases,
)
