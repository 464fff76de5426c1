"""``unmoor cut --tag``: tag the commit that merging the pull request of a release made."""

from __future__ import annotations

from functools import partial
from typing import Final

from packaging.version import Version

from unmoor import advice
from unmoor.errors import Refused, UnmoorError
from unmoor.ports.git_writer import PushState
from unmoor.project.version_places import find_written
from unmoor.scaffold.cut import requesting
from unmoor.scaffold.cut.model import (
    CutListener,
    CutPorts,
    CutProject,
    CutResult,
    CutState,
    CutStep,
    PlannedCut,
    Situation,
)
from unmoor.scaffold.cut.situation import refuse_taken
from unmoor.util.text import clean
from unmoor.versioning import pep440

_LOOKED_AT: Final = 200


def tag_merged(
    ports: CutPorts, project: CutProject, listener: CutListener, *, named: Version | None, branch: str
) -> CutResult:
    """Tag the first commit of the remote's branch that says the version, and push that tag.

    ``named`` is the version; without it, that of the branch's last commit. Nothing of the checkout moves but the tag.
    Raises `Refused` if no commit of the branch says the version, or if it is taken.
    """
    listener.begins(CutStep.LOOK)
    head = ports.writer.fetch(branch)
    version = named or _written(ports, head)
    if version is None:
        raise Refused(
            "the version comes from tags, so the files do not say which release was merged",
            next_step=advice.NAME_MERGED_VERSION(),
        )
    there = {**ports.git.remote_tags(), **ports.git.tags()}
    released = {tag: found for tag, (_, found) in project.naming.known(there).items()}
    prefix = project.naming.new_prefix(there)
    tag = f"{pep440.tag_start(released, prefix=prefix)}{version}"
    found = Situation(
        branch=branch, head=head, remote_head=head, written=version, merged={}, taken=released, prefix=prefix
    )
    refuse_taken(ports, project, found, version, tag)
    commit = _merged_commit(ports, branch, head, version, tag)
    planned = PlannedCut(
        version=version,
        tag=tag,
        branch=branch,
        arithmetic=(f"{version}, on commit {commit[:12]} of {clean(branch)}",),
        messages=(),
        diff="",
        commands=(
            f"git tag --annotate -m '{project.name} {version}' {tag} {commit}",
            f"git push {ports.writer.remote} {tag}",
        ),
    )
    if not listener.approve(planned):
        return CutResult(state=CutState.PLANNED, tag=tag, version=str(version), commit=commit)
    listener.begins(CutStep.TAG)
    message, sign = f"{project.name} {version}", project.settings.signed_tags
    made = ports.writer.tag(project.folder, tag, commit, message, sign=sign)
    listener.begins(CutStep.PUSH)
    outcome = ports.writer.push({f"refs/tags/{tag}": made})
    if outcome.state is not PushState.DONE:
        raise Refused(
            f"the remote did not take the tag {tag}: {outcome.reason}",
            where=clean(ports.git.remote() or ""),
            next_step=advice.ALLOW_PUSH(),
            retryable=True,
        )
    listener.begins(CutStep.FINISH)
    left = tuple(ports.writer.finish("", commit, {tag: made}))
    return CutResult(state=CutState.PUSHED, tag=tag, version=str(version), commit=commit, left=left)


def _merged_commit(ports: CutPorts, branch: str, head: str, version: Version, tag: str) -> str:
    """The commit of the branch that merging the release made. Raises `Refused`."""
    parents = ports.writer.first_parents(head, limit=_LOOKED_AT)
    pulls = ports.pull_requests.of_branch(requesting.branch_of(tag)) if ports.pull_requests is not None else ()
    merged = next((each.merged for each in pulls if each.merged in parents), None)
    if merged is not None and _written(ports, merged) in {version, None}:
        return merged
    waiting = next((each for each in pulls if each.is_open), None)
    said = [commit for commit in parents if _written(ports, commit) == version] if _written(ports, head) else []
    if not said:
        open_one = f": its pull request is still open ({waiting.url})" if waiting is not None else ""
        raise Refused(
            f"no commit of {clean(branch)} on the remote says {version}{open_one}",
            where=clean(ports.git.remote() or ""),
            next_step=advice.MERGE_REQUEST(),
        )
    return said[-1]


def _written(ports: CutPorts, commit: str) -> Version | None:
    """The version in the files of a commit, ``None`` if there is none or it cannot be read."""
    try:
        written, _ = find_written(partial(ports.git.read, commit))
    except UnmoorError:
        return None
    return pep440.version_in(written.text) if written is not None else None
