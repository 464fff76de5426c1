"""What a checkout must be, and a project's files must say, before a tag of it is released."""

from __future__ import annotations

from packaging.version import Version

from unmoor.errors import Refused
from unmoor.ports.git import Git
from unmoor.project.written_version import WrittenVersion
from unmoor.util.text import clean
from unmoor.versioning import pep440


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
