"""Push a release branch and open a pull request for it, where the branch takes no direct push.

Running the same command again finds what is there: a branch with the same files, and its pull request.
"""

from __future__ import annotations

from unmoor import advice
from unmoor.errors import Conflict, Refused, Rejected
from unmoor.filesystem.commands import quote
from unmoor.ports.git_writer import PushState
from unmoor.ports.pull_requests import PullRequest, PullRequests
from unmoor.scaffold.cut.model import CutPorts, CutResult, CutState, PlannedCut, Situation
from unmoor.util.text import clean


def branch_of(tag: str) -> str:
    """The branch of the pull request for a release."""
    return f"release/{tag}"


def request(
    ports: CutPorts, found: Situation, planned: PlannedCut, commit: str, *, title: str, project: str
) -> CutResult:
    """Push the branch and open the pull request, or find them.

    Raises `Refused` if the forge is not known, `Conflict` if the branch has other files, `Rejected` if the remote
    refuses it.
    """
    pulls = ports.pull_requests
    if pulls is None:
        raise Refused(
            f"{clean(found.branch)} takes no direct push, and the remote is not on GitHub: open the request there"
            " yourself",
            where=clean(ports.git.remote() or ""),
            next_step=advice.PUSH_BY_HAND(),
        )
    branch = planned.through
    there = ports.writer.remote_branch(branch)
    if there is not None and not ports.writer.same_files(there, commit):
        raise Conflict(
            f"the remote has a branch {branch} with other files",
            where=clean(ports.git.remote() or ""),
            next_step=advice.DELETE_RELEASE_BRANCH(remote=quote(ports.writer.remote), branch=quote(branch)),
        )
    if there is None:
        ref = f"refs/heads/{branch}"
        outcome = ports.writer.push({ref: commit}, leases={ref: ""})
        if outcome.state is not PushState.DONE:
            raise Rejected(
                f"the remote did not take the branch {branch}: {outcome.reason}",
                where=clean(ports.git.remote() or ""),
                next_step=advice.ALLOW_PUSH(),
                retryable=True,
            )
    pull = _open_of(pulls, branch) or pulls.create(
        branch=branch, base=found.branch, title=title, body=_body(planned, project)
    )
    return CutResult(
        state=CutState.REQUESTED, tag=planned.tag, version=str(planned.version), commit=there or commit, url=pull.url
    )


def _open_of(pulls: PullRequests, branch: str) -> PullRequest | None:
    return next((each for each in pulls.of_branch(branch) if each.is_open), None)


def _body(planned: PlannedCut, project: str) -> str:
    lines = [
        f"This prepares the release of {project} {planned.version}.",
        "",
        *(f"- {line}" for line in planned.arithmetic),
        "",
        f"After it is merged, `unmoor cut --tag {planned.version}` tags the merged commit as `{planned.tag}`.",
    ]
    return "\n".join(lines)
