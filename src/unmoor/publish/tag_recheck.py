"""Check the tag again before anything that cannot be undone: it must still name the same commit."""

from __future__ import annotations

from unmoor import advice
from unmoor.errors import Refused
from unmoor.filesystem.commands import quote
from unmoor.ports.git import Git
from unmoor.products import Release
from unmoor.util.text import clean


def verify_tag_unmoved(git: Git, release: Release, *, already: str = "") -> None:
    """Check that the remote's tag still names the commit that was built and tested, by one read of the remote.

    ``already`` says what is out by now and stays. Raises `Refused` if the tag was moved (with both commits) or deleted,
    and `Unknown` if the remote cannot be read.
    """
    try:
        _verify(git, release)
    except Refused as error:
        if already:
            raise error.amended(also=already) from error
        raise


def _verify(git: Git, release: Release) -> None:
    there = git.remote_tags().get(release.tag)
    if there is None:
        raise Refused(
            f"the tag {clean(release.tag)} is no longer on the remote; commit {release.commit} was tested",
            where=clean(git.remote() or ""),
            next_step=advice.PUSH_TAG_AGAIN(tag=quote(clean(release.tag))),
        )
    if there != release.commit:
        raise Refused(
            f"the tag {clean(release.tag)} was moved: it names commit {clean(there)} now,"
            f" but commit {release.commit} was tested",
            where=clean(git.remote() or ""),
            next_step=advice.MOVE_TAG_BACK(),
        )
