"""The last look at the tag before something that cannot be taken back: it must still name the same commit."""

from __future__ import annotations

from unmoor.errors import Refused
from unmoor.ports.git import Git
from unmoor.products import Release
from unmoor.util.text import clean


def verify_tag_unmoved(git: Git, release: Release) -> None:
    """See that the remote's tag still names the commit that was built and tested.

    One read of the remote. Raises `Refused`, naming both commits, where the tag was moved or taken
    away, and `Unknown` where the remote cannot be read.
    """
    there = git.remote_tags().get(release.tag)
    if there is None:
        raise Refused(
            f"the tag {clean(release.tag)} is not on the remote (any more); what was tested is commit {release.commit}",
            where=clean(git.remote() or ""),
            next_step=f"push the tag again if the release is meant: git push origin refs/tags/{clean(release.tag)}",
        )
    if there != release.commit:
        raise Refused(
            f"the tag {clean(release.tag)} was moved: it names commit {clean(there)} now,"
            f" and commit {release.commit} was tested",
            where=clean(git.remote() or ""),
            next_step="never move a tag that was released: put it back, or release the new commit under a new version",
        )
