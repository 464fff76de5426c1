"""Clone a local repository, and check out a commit in the clone."""

from __future__ import annotations

from pathlib import Path

from unmoor import advice
from unmoor.adapters.git.program import GitProgram, reason
from unmoor.errors import Refused, Unknown

NO_FILTER = ("filter.lfs.process=", "filter.lfs.required=false")
"""Git settings that keep a checkout from fetching large files.

They are fetched afterwards, from the local checkout first, and one error names all that are missing.
"""


def clone_of(git: GitProgram, source: Path, into: Path, *, bare: bool) -> None:
    """Clone a local repository with all its branches and tags, without checking anything out.

    Uses no template, so no hooks. Git hard-links objects if it can and copies them otherwise; ``--local`` would fail
    if the folder is on another disk. Raises `Refused` if ``into`` is not empty.
    """
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise Refused("cannot clone into a folder that is not empty", where=str(into), next_step=advice.REMOVE_FOLDER())
    into.parent.mkdir(parents=True, exist_ok=True)
    git.run(
        *("clone", "--quiet", "--template=", "-c", "core.autocrlf=false"),
        *(("--bare",) if bare else ("--no-checkout", "--origin", "origin")),
        *("--", str(source), str(into.absolute())),
        cwd=source,
        timeout=600.0,
    )


def check_out(git: GitProgram, folder: Path, commit: str) -> None:
    """Check out a commit in a clone. Raises `Unknown` if files are missing, which git itself only warns about.

    Files are missing in a clone of a partial clone: git would have to fetch them from its remote.
    """
    # "^0", because git would check out a branch that is named after the commit, wherever it points.
    ran = git.run("checkout", "--quiet", "--detach", f"{commit}^0", "--", cwd=folder, timeout=600.0, config=NO_FILTER)
    if "unable to read" in ran.err:
        raise Unknown(
            f"the checkout does not have every file of commit {commit[:12]}: {reason(ran.err)}",
            where=str(folder),
            next_step=advice.COMPLETE_CLONE(),
        )
