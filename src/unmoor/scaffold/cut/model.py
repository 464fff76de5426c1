"""What the steps of a cut pass on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import msgspec
from packaging.version import Version

from unmoor.config.settings import Settings
from unmoor.ports.git import Git
from unmoor.ports.git_writer import GitWriter
from unmoor.ports.project_lock import ProjectLock
from unmoor.ports.pull_requests import PullRequests
from unmoor.ports.shell import Shell
from unmoor.versioning.bump import VersionPart
from unmoor.versioning.tag_scheme import Naming


class CutStep(StrEnum):
    """The steps, in their order."""

    LOOK = "look"
    CHOOSE = "choose"
    WRITE = "write"
    ASK = "ask"
    COMMIT = "commit"
    REHEARSE = "rehearse"
    TAG = "tag"
    PUSH = "push"
    FINISH = "finish"


class CutPorts(msgspec.Struct, frozen=True, kw_only=True):
    """What a cut may use. ``index_versions`` returns the versions of a project on the index.

    ``check`` raises `Refused` if a critical check of the repository fails. ``protected`` says why a branch takes no
    direct push, empty if it does or if nobody knows. ``pull_requests`` is ``None`` if the remote is on no known forge.
    """

    git: Git
    writer: GitWriter
    shell: Shell
    lock: ProjectLock
    index_versions: Callable[[str], Sequence[Version]]
    check: Callable[[], None]
    protected: Callable[[str], str]
    pull_requests: PullRequests | None


class CutOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the user asks for. ``verify`` runs the hooks of git."""

    named: Version | None = None
    parts: tuple[VersionPart, ...] = ()
    verify: bool = True
    rehearse: bool = False
    now: datetime


class CutProject(msgspec.Struct, frozen=True, kw_only=True):
    """The project at the current commit, its settings and its tags. ``folder`` is for files in between.

    ``is_conventional``: it is set up for Conventional Commits.
    """

    name: str
    is_conventional: bool
    settings: Settings
    naming: Naming
    folder: Path


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """Where the cut begins: the branch, its commit here and on the remote, and the tags of both.

    ``written`` is the version in the files, ``None`` if it comes from tags. ``merged`` are the project's releases that
    the branch contains, ``taken`` all of them, each by tag.
    """

    branch: str
    head: str
    remote_head: str
    written: Version | None
    merged: Mapping[str, Version]
    taken: Mapping[str, Version]
    prefix: str


class PlannedCut(msgspec.Struct, frozen=True, kw_only=True):
    """What will happen: the version and its arithmetic, the diff, and the commands that do the same by hand.

    ``through`` is the branch of a pull request, empty for a direct push, and ``why`` says why there is one. ``ahead``
    is how many commits of the branch the remote does not have yet.
    """

    version: Version
    tag: str
    branch: str
    arithmetic: tuple[str, ...]
    messages: tuple[str, ...]
    diff: str
    commands: tuple[str, ...]
    through: str = ""
    why: str = ""
    ahead: int = 0


class CutState(StrEnum):
    """How a cut ended."""

    PLANNED = "planned"
    PUSHED = "pushed"
    REQUESTED = "requested"


class CutResult(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a cut. ``url`` is that of the pull request; ``left`` is what could not be moved here, in words."""

    state: CutState
    tag: str
    version: str
    commit: str = ""
    url: str = ""
    left: tuple[str, ...] = ()


class CutListener(Protocol):
    """Hears what happens, and decides."""

    def begins(self, step: CutStep) -> None:
        """A step begins."""

    def say(self, text: str) -> None:
        """Something that the user should know."""

    def approve(self, planned: PlannedCut) -> bool:
        """Show what will happen, and say whether it may."""

    def rehearse(self, tree: Path, tag: str) -> None:
        """Rehearse the release of a commit in a folder. Raises an error if that fails."""
