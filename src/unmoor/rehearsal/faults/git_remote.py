"""Faults of the git remote, which is a folder: tags that move or vanish, and a hook that refuses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from unmoor.filesystem.files import write_atomic
from unmoor.filesystem.safe_folder import make_folder
from unmoor.rehearsal.shared.remote import Remote

_REFUSAL = b"#!/bin/sh\necho 'the remote takes no pushes now' >&2\nexit 1\n"
_IDENTITY = {
    "GIT_AUTHOR_NAME": "Somebody Else",
    "GIT_AUTHOR_EMAIL": "somebody@example.invalid",
    "GIT_COMMITTER_NAME": "Somebody Else",
    "GIT_COMMITTER_EMAIL": "somebody@example.invalid",
    "GIT_AUTHOR_DATE": "1700000000 +0000",
    "GIT_COMMITTER_DATE": "1700000000 +0000",
}


def carry_out(fault: str, remote: Path, tag: str) -> bool:
    """Do to a remote what a fault of the remote is called. Return whether there was anything to do it to."""
    return _FAULTS[fault](Remote(remote), tag)


def _move(remote: Remote, tag: str) -> bool:
    """Let the tag lead to a new commit with the same files."""
    commit = remote.commit_of(f"refs/tags/{tag}") if tag else None
    if commit is None:
        return False
    made = remote.run("commit-tree", "-p", commit, "-m", "Something else", f"{commit}^{{tree}}", env=_IDENTITY)
    return made.code == 0 and remote.run("update-ref", f"refs/tags/{tag}", made.out.decode().strip()).code == 0


def _delete(remote: Remote, tag: str) -> bool:
    if not tag or remote.commit_of(f"refs/tags/{tag}") is None:
        return False
    return remote.run("update-ref", "-d", f"refs/tags/{tag}").code == 0


def _remake(remote: Remote, tag: str) -> bool:
    """Make the tag at the same commit, without its annotation."""
    commit = remote.commit_of(f"refs/tags/{tag}") if tag else None
    return commit is not None and remote.run("update-ref", f"refs/tags/{tag}", commit).code == 0


def _refuse(remote: Remote, _tag: str) -> bool:
    make_folder(remote.path / "hooks")
    write_atomic(remote.path / "hooks" / "pre-receive", _REFUSAL, mode=0o755, sync=False)
    return True


_FAULTS: Final[Mapping[str, Callable[[Remote, str], bool]]] = {
    "moved-tag": _move,
    "deleted-tag": _delete,
    "remade-tag": _remake,
    "refusing-hook": _refuse,
}
