"""What a checkout must be, and a project's files must say, before a tag of it is released; and which tag that is."""

from __future__ import annotations

from collections.abc import Callable

from packaging.version import Version

from unmoor.errors import Refused
from unmoor.ports.git import Git
from unmoor.project.written_version import WrittenVersion
from unmoor.util.text import clean
from unmoor.versioning import pep440
from unmoor.versioning.tag_scheme import Naming


def tag_on_head(git: Git, naming: Callable[[str], Naming]) -> str:
    """The one release tag on the commit that is checked out; ``naming`` says at a commit what is a tag of the project.

    Raises `Refused` where there is none, or several of different versions.
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
        f"no release tag is on the commit that is checked out{others}",
        where=str(git.folder),
        next_step="name a tag, such as v1.2.3, or make one: git tag -a v1.2.3;"
        " to rehearse a release before it is tagged: unmoor rehearse",
    )


def refuse_shallow(git: Git) -> None:
    """Raise `Refused`, with the command that deepens it, for a clone whose history is cut off."""
    if git.shallow():
        raise Refused(
            "the clone is shallow: tags and history that the version and the notes come from are missing",
            where=str(git.folder),
            next_step="git fetch --unshallow --tags; in GitHub Actions: actions/checkout with fetch-depth: 0",
        )


def refuse_other_version(written: WrittenVersion | None, tag: str, version: Version, commit: str) -> None:
    """Raise `Refused` where the version that a file holds at the commit is not the tag's."""
    if written is None or pep440.version_in(written.text) == version:
        return
    raise Refused(
        f"the tag {tag} names version {version}, and the file says {clean(written.text, 60)} at commit {commit[:12]}",
        where=str(written),
        next_step=f"write {version} there, commit, and tag that commit; or release the tag of the version it says",
    )
