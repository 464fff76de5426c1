"""Who may sign tags: a list in the repository, read at a commit that the creator of a tag cannot choose."""

from __future__ import annotations

from unmoor import advice
from unmoor.errors import Refused
from unmoor.ports.git import Git
from unmoor.util.text import clean


def trusted_signer(git: Git, tag: str, path: str) -> str:
    """Return the signer of the tag. ``path`` is the list of allowed signers on the remote's default branch.

    The path is relative to the project's folder, or else to the top of the repository, since projects may share a list.

    The list is not read at the tag's commit, where anyone who tags could add a name, nor at HEAD, which is
    the tag's commit in CI. Without a remote it is read at HEAD. Raises `Refused`, `Unknown`.
    """
    commit = git.default_head()
    allowed = git.read(commit, path) if commit is not None else None
    if allowed is None and commit is not None:
        allowed = git.at("").read(commit, path)
    if commit is None or allowed is None:
        raise Refused(
            f"tags must be signed, but the default branch has no file {clean(path)}, which lists who may sign",
            where=str(git.folder),
            next_step=advice.COMMIT_SIGNERS(path=clean(path)),
        )
    return git.signer(tag, allowed)
