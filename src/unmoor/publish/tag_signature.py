"""Who may sign tags: a list in the repository, at a commit that whoever makes a tag does not choose."""

from __future__ import annotations

from unmoor.errors import Refused
from unmoor.ports.git import Git
from unmoor.util.text import clean


def trusted_signer(git: Git, tag: str, path: str) -> str:
    """Return who signed the tag. ``path`` is the list's, read from the remote's default branch.

    It is seen from the project's folder, else from the top of the repository, whose projects may share one.

    Not from the tag's commit, where whoever tags could add a name, and not from HEAD, which in a
    CI's checkout is the tag's commit. Without a remote it is HEAD. Raises `Refused`, `Unknown`.
    """
    commit = git.default_head()
    allowed = git.read(commit, path) if commit is not None else None
    if allowed is None and commit is not None:
        allowed = git.at("").read(commit, path)
    if commit is None or allowed is None:
        raise Refused(
            f"tags must be signed, and there is no {clean(path)} on the default branch that says who may sign",
            where=str(git.folder),
            next_step=f"commit {clean(path)} there: a line for each signer, 'NAME ssh-ed25519 KEY' (ssh-keygen(1),"
            " ALLOWED SIGNERS); or name another file in allowed-signers",
        )
    return git.signer(tag, allowed)
