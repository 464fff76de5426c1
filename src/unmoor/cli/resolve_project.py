"""What a command is about where its words leave it open: the project of the repository, and the tag."""

from __future__ import annotations

from pathlib import Path

from unmoor.adapters.factory import open_checkout
from unmoor.adapters.git.checkout import GitCheckout
from unmoor.adapters.process.supervisor import Processes
from unmoor.cli import output
from unmoor.errors import Refused
from unmoor.project.locate import ConfigSources, locate
from unmoor.util.text import clean
from unmoor.versioning.tag_scheme import refuse_unsafe


def resolve_project(
    folder: Path, path: str | None, around: ConfigSources, processes: Processes, *, tag: str | None
) -> GitCheckout:
    """The checkout, seen from the project's folder in it. Raises what `unmoor.project.locate.locate` does."""
    top = open_checkout(folder, processes)
    if tag is not None:
        refuse_unsafe(tag)
    commit = (top.commit_of(tag) if tag is not None else None) or top.head()
    found = locate(top, folder, around, named=path, tag=tag, commit=commit)
    if found.said:
        output.err(found.said)
    return top.at(found.path)


def no_repository(git: GitCheckout) -> Refused:
    """What to say where neither the run, nor the remote, nor the settings name the repository on the forge."""
    remote = git.remote()
    why = f"the git remote {clean(remote)} is not on GitHub" if remote else "there is no git remote"
    return Refused(
        f"it cannot be told which repository on the forge this is: {why}",
        where=str(git.folder),
        next_step='add the remote, or set repository = "owner/name" in [tool.unmoor]; for another forge: --world FILE',
    )
