"""The tag to release, and what the checkout and the project's files must fulfil before it is released."""

from __future__ import annotations

from collections.abc import Callable

from packaging.version import Version

from unmoor import advice
from unmoor.errors import Refused
from unmoor.ports.git import Git
from unmoor.project.written_version import WrittenVersion
from unmoor.util.text import clean
from unmoor.versioning import pep440
from unmoor.versioning.tag_scheme import Naming


def tag_on_head(git: Git, naming: Callable[[str], Naming]) -> str:
    """The one release tag on the checked-out commit. ``naming`` gives the project's tag scheme at a commit.

    Raises `Refused` if there is none, or if there are several of different versions.
    """
    tags, head = git.tags(), git.head()
    found = naming(head).at(tags, head) if head else None
    if found is not None:
        return found
    here = pep440.tags_at(tags, head) if head else ()
    for name in here:
        if name.removeprefix("v")[:1].isdigit():
            pep440.read_tag(name)
    others = f" (of other kinds: {', '.join(pep440.quote(name) for name in here[:5])})" if here else ""
    raise Refused(
        f"the checked-out commit has no release tag{others}",
        where=str(git.folder),
        next_step=advice.NAME_OR_CREATE_TAG(),
    )


def refuse_fork(git: Git, repository: str, expected: str) -> None:
    """Raise `Refused` if the repository (``owner/name``) is not the configured one; an empty one allows any."""
    if expected and repository.lower() != expected.lower():
        raise Refused(
            f"this repository is {clean(repository) or 'unknown'}, but the project is released only from"
            f" {clean(expected)}",
            where=str(git.folder),
            next_step=advice.RELEASE_FROM_HOME(),
        )


def refuse_shallow(git: Git) -> None:
    """Raise `Refused`, with the command that fetches the rest, if the clone is shallow."""
    if git.shallow():
        raise Refused(
            "the clone is shallow: it lacks the tags and history that the version and the notes come from",
            where=str(git.folder),
            next_step=advice.FETCH_HISTORY(),
        )


def refuse_other_version(written: WrittenVersion | None, tag: str, version: Version, commit: str) -> None:
    """Raise `Refused` if the version in a file at the commit is not the tag's."""
    if written is None or pep440.version_in(written.text) == version:
        return
    raise Refused(
        f"the tag {tag} names version {version}, but the file says {clean(written.text, 60)} at commit {commit[:12]}",
        where=str(written),
        next_step=advice.WRITE_VERSION(version=version),
    )
