"""Read where a cut begins, and refuse what must not be released, before anything is written."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from packaging.version import Version

from unmoor import advice
from unmoor.errors import Refused
from unmoor.filesystem.commands import quote
from unmoor.notes.fragments import fragment_kinds
from unmoor.project.releasable import refuse_shallow
from unmoor.project.version_places import find_written
from unmoor.scaffold.cut.model import CutPorts, CutProject, Situation
from unmoor.scaffold.cut.version_choice import VersionFacts
from unmoor.util.text import clean, list_some
from unmoor.versioning import pep440
from unmoor.versioning.calendar import DatedRelease

_DATED: Final = 5


def look(ports: CutPorts, project: CutProject) -> Situation:
    """Read the branch, the remote and the tags.

    Raises `Refused` for a detached HEAD, an empty or shallow repository, a checkout with changes, without a remote,
    behind it, or without its tags, and for a project with two versions or none; `Unknown` if the remote cannot be read.
    """
    git, writer = ports.git, ports.writer
    head = git.head()
    if head is None:
        raise Refused("there is no commit yet", where=str(git.folder), next_step=advice.COMMIT_SOMETHING())
    branch = writer.branch()
    if not branch:
        raise Refused(
            "no branch is checked out, but a commit (detached HEAD)",
            where=str(git.folder),
            next_step=advice.CHECK_OUT_BRANCH(),
        )
    refuse_shallow(git)
    if changed := git.changed():
        raise Refused(
            f"there are uncommitted changes: {list_some([clean(path) for path in changed])}",
            where=str(git.folder),
            next_step=advice.COMMIT_OR_STASH(),
        )
    if git.remote() is None:
        raise Refused(
            "this repository has no remote to push to", where=str(git.folder), next_step=advice.ADD_REMOTE_TO_PUSH()
        )
    remote_head = require_not_behind(ports, branch, head)
    here, there = dict(git.tags()), git.remote_tags()
    prefix = project.naming.new_prefix({*here, *there})
    released = {tag: version for tag, (_, version) in project.naming.known({**there, **here}).items()}
    missing = sorted(tag for tag in released if tag not in here)
    if missing:
        raise Refused(
            f"this checkout lacks tags of the remote, from which the next version is counted: {list_some(missing)}",
            where=str(git.folder),
            next_step=advice.FETCH_TAGS(),
        )
    written, _ = find_written(partial(git.read, head))
    merged = {tag: released[tag] for tag in writer.merged_tags(head) if tag in released}
    return Situation(
        branch=branch,
        head=head,
        remote_head=remote_head,
        written=pep440.version_in(written.text) if written is not None else None,
        merged=_without_floating(merged, prefix),
        taken=_without_floating(released, prefix),
        prefix=prefix,
    )


def _without_floating(tags: dict[str, Version], prefix: str) -> dict[str, Version]:
    return {tag: version for tag, version in tags.items() if not pep440.is_floating(tag, prefix=prefix)}


def require_not_behind(ports: CutPorts, branch: str, head: str) -> str:
    """Return the commit of the remote's branch. Raises `Refused` if the checkout does not continue from it."""
    remote_head = ports.writer.remote_branch(branch)
    if remote_head is None:
        raise Refused(
            f"the remote has no branch {clean(branch)}",
            where=clean(ports.git.remote() or ""),
            next_step=advice.PUSH_BRANCH(remote=quote(ports.writer.remote), branch=quote(branch)),
        )
    if not ports.writer.contains(head, remote_head):
        raise Refused(
            f"the branch {clean(branch)} is behind the remote, which is at {remote_head[:12]}",
            where=str(ports.git.folder),
            next_step=advice.PULL_BRANCH(),
        )
    return remote_head


def read_version_facts(ports: CutPorts, project: CutProject, found: Situation, now: datetime) -> VersionFacts:
    """Read what decides about the next version."""
    git = ports.git
    tags = git.tags()
    newest = sorted(found.merged, key=lambda tag: found.merged[tag])
    dated = [
        DatedRelease(
            version=found.merged[tag],
            day=datetime.fromtimestamp(git.date_of(tags[tag]), UTC).date() if tag in newest[-_DATED:] else now.date(),
        )
        for tag in newest
    ]
    messages = None
    if project.is_conventional:
        messages = ports.writer.messages(found.head, since=newest[-1] if newest else None, path=git.path)
    return VersionFacts(
        written=found.written,
        merged=tuple(dated),
        taken=frozenset(found.taken.values()),
        kinds=fragment_kinds(Path(posixpath.join(git.folder, git.path))),
        messages=messages,
        today=now.date(),
    )


def refuse_released(found: Situation, tags_here: Iterable[str]) -> None:
    """Raise `Refused` if the current commit is a release already, so that there is nothing to cut."""
    if here := sorted(set(tags_here) & found.taken.keys()):
        raise Refused(
            f"the current commit is released already, as {list_some(here)}", next_step=advice.COMMIT_SOMETHING()
        )


def refuse_taken(ports: CutPorts, project: CutProject, found: Situation, version: Version, tag: str) -> None:
    """Raise `Refused` if a tag here or on the remote has the version, or if the index does."""
    if reason := pep440.why_unreleasable(version):
        raise Refused(f"{version} cannot be released: {reason}", next_step=advice.NAME_ANOTHER_VERSION())
    pep440.refuse_epoch(tag, version)
    twins = [each for each, taken in found.taken.items() if taken == version]
    if twins or tag in ports.git.tags() or tag in ports.git.remote_tags():
        raise Refused(
            f"the tag {list_some(sorted(twins)) or tag} names {version} already, here or on the remote",
            next_step=advice.NAME_ANOTHER_VERSION(),
        )
    if version in ports.index_versions(project.name):
        raise Refused(
            f"the index has files of {clean(project.name)} {version} already, and takes no others of that version",
            next_step=advice.NAME_ANOTHER_VERSION(),
        )
