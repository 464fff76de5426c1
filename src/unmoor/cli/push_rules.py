"""Which runs may push the images of a branch: those of a branch, at its commit, in the repository of the project."""

from __future__ import annotations

from unmoor import advice
from unmoor.cli.resolve_project import ResolvedProject
from unmoor.errors import Refused
from unmoor.filesystem.commands import quote
from unmoor.images.tags.context import HEADS, PULLS, TAGS, TagContext
from unmoor.project.releasable import refuse_fork
from unmoor.util.text import clean

_QUEUES = f"{HEADS}gh-readonly-queue/"


def refuse_push(project: ResolvedProject, head: str, context: TagContext, *, real: bool) -> None:
    """Raise `Refused` if this run must not push the images of HEAD.

    Anybody may open a pull request, from a fork too: its code must not get the name of the project's images. The
    events of pull requests and of merge queues have it checked out before it is merged.
    """
    if context.event.startswith(("pull_request", "merge_group")) or context.ref.startswith((PULLS, _QUEUES)):
        raise Refused(
            f"the images of a pull request are never pushed ({clean(context.event)}, {clean(context.ref)})",
            where="--push",
            next_step=advice.PUSH_FROM_BRANCH(),
        )
    if not context.branch:
        tag = context.tag
        raise Refused(
            f"this run is for {clean(context.ref)}, which is no branch: a release pushes the images of a tag",
            where="--push",
            next_step=advice.RELEASE_TAG_INSTEAD(tag=quote(clean(tag)) if tag else "TAG"),
        )
    if real:
        refuse_fork(project.checkout, project.repository, project.settings.repository)
    if project.ci.actions and project.ci.commit != head:
        raise Refused(
            f"the checkout is at commit {head}, but this run was started for commit {project.ci.commit or 'unknown'}",
            where=f"--push to {clean(context.ref.removeprefix(TAGS))}",
            next_step=advice.CHECK_OUT_RUN_COMMIT(commit=project.ci.commit or "GITHUB_SHA"),
        )
    if not project.ci.actions and project.checkout.on_a_branch(head) is False:
        raise Refused(
            f"no branch of the remote contains commit {head[:12]}, as far as this checkout knows",
            where="--push",
            next_step=advice.PUSH_BRANCH_FIRST(),
        )
