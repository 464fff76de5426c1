"""The branches of a checkout's remote."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from unmoor import advice
from unmoor.adapters.git.program import OWN_SETTINGS, GitProgram
from unmoor.errors import Refused
from unmoor.util.digests import is_commit
from unmoor.util.text import clean

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


def ls_remote(git: GitProgram, folder: Path, remote: str, *options: str, patterns: Sequence[str] = ()) -> str:
    """The output of ``git ls-remote``. Raises as `GitProgram.run` does.

    For a path on this machine, as in a local world, none of the user's settings is needed, and none counts: they could
    forbid paths, or replace a part of this one.
    """
    env = OWN_SETTINGS if Path(remote).is_absolute() else {}
    args = ("ls-remote", "--quiet", *options, "--", remote, *patterns)
    return git.run(*args, cwd=folder, remote=True, env=env).out


def default_head(git: GitProgram, folder: Path, remote: str, *, commit_of: Callable[[str], str | None]) -> str | None:
    """The last commit of the remote's default branch; see `unmoor.ports.git.Git`.

    ``folder`` is the top of the checkout. ``commit_of`` returns ``None`` for a commit that the checkout does not have.
    """
    out = ls_remote(git, folder, remote, patterns=["HEAD"])
    # The pattern also matches the last part of longer names, such as refs/tags/HEAD.
    commit = next((line.partition("\t")[0] for line in out.split("\n") if line.endswith("\tHEAD")), "")
    if not commit:
        return None
    if not is_commit(commit) or commit_of(commit) is None:
        raise Refused(
            f"this checkout does not have the last commit of the remote's default branch, {clean(commit, 40)}",
            where=str(folder),
            next_step=advice.FETCH_DEFAULT_BRANCH(),
        )
    return commit


def default_branch(git: GitProgram, folder: Path, remote: str) -> str:
    """The remote's default branch as the clone knows it; empty if it does not know it. Sends no request."""
    if not _NAME.fullmatch(remote):
        return ""  # an address
    start = f"refs/remotes/{remote}/"
    ref = git.run("symbolic-ref", "--quiet", f"{start}HEAD", cwd=folder, fine=(0, 1)).out.strip()
    return ref.removeprefix(start) if ref.startswith(start) else ""


def on_a_branch(git: GitProgram, folder: Path, remote: str, commit: str) -> bool | None:
    """Whether a branch of the remote contains a commit; see `unmoor.ports.git.Git`. Sends no request."""
    if not _NAME.fullmatch(remote):
        return None  # an address: git has no remote-tracking branches for it
    count = ("for-each-ref", "--count=1", "--format=x")
    if not git.run(*count, f"refs/remotes/{remote}/", cwd=folder).out:
        return None
    return bool(git.run(*count, f"--contains={commit}", f"refs/remotes/{remote}/", cwd=folder).out)
