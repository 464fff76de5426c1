"""Clones of a repository of this machine, and what is checked out in them."""

from __future__ import annotations

from pathlib import Path

from unmoor.adapters.git.program import GitProgram, reason
from unmoor.errors import Refused, Unknown

NO_FILTER = ("filter.lfs.process=", "filter.lfs.required=false")
"""What git is told while it checks out: large files come afterwards, from nearby first, and one failure names all."""


def clone_of(git: GitProgram, source: Path, into: Path, *, bare: bool) -> None:
    """Clone a repository of this machine with all its branches and tags, without checking anything out.

    No template of the user's, so no hooks. Objects are linked where that can be, else copied: with ``--local`` git
    would fail where the folder of temporary files is on another disk.
    Raises `Refused` where ``into`` is not empty.
    """
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise Refused("a clone cannot be made in a place that is not empty", where=str(into), next_step="remove it")
    into.parent.mkdir(parents=True, exist_ok=True)
    git.run(
        *("clone", "--quiet", "--template=", "-c", "core.autocrlf=false"),
        *(("--bare",) if bare else ("--no-checkout", "--origin", "origin")),
        *("--", str(source), str(into.absolute())),
        cwd=source,
        timeout=600.0,
    )


def check_out(git: GitProgram, folder: Path, commit: str) -> None:
    """Check a commit out in a clone. Raises `Unknown` where files of it are missing, though git only mentions that.

    So it is in a clone of a partial clone, whose remote would have to be asked for them.
    """
    ran = git.run("checkout", "--quiet", "--detach", commit, "--", cwd=folder, timeout=600.0, config=NO_FILTER)
    if "unable to read" in ran.err:
        raise Unknown(
            f"the checkout does not hold every file of commit {commit[:12]}: {reason(ran.err)}",
            where=str(folder),
            next_step="if it is a partial clone, complete it: git fetch --refetch --no-filter; else clone it anew",
        )
