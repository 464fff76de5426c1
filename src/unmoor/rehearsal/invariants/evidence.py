"""What the judge gets, and what it returns: plain values and paths, written down by whoever ran the release."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Literal

import msgspec

from unmoor.rehearsal.invariants.final_state import FinalState

Invariant = Literal["I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9"]


class End(StrEnum):
    """How the runs of a release must end."""

    CONVERGED = "converged"  # the last run has exit code 0, and every surface holds the release
    REFUSED = "refused"  # the last run is refused, because something outside differs: a moved tag, other bytes


class ImageExpected(msgspec.Struct, frozen=True, kw_only=True):
    """An image that the release pushes: its registry and name there, and its tags.

    ``tags`` are those that name the version or commit and never move; ``floating`` those that follow the versions,
    such as ``latest`` and ``1.0``.
    """

    host: str
    name: str
    tags: tuple[str, ...]
    floating: tuple[str, ...] = ()


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What a release must be at its end.

    ``files`` are the sha256 of the tested wheels and sdists by name, ``assets`` the names of everything else that its
    page must hold. ``commit`` is that of the tag when the first run began. ``highest``: no higher final version
    exists, so floating pointers move to this one. ``staging``: the files go to the staging index first.

    With the end ``REFUSED``, ``named`` are texts that the last run must print, such as both commits of a moved tag, and
    ``since`` is the length in bytes of the request log when the fault was in place: from then on nothing final may
    happen. ``taken`` are files that the index held before, by name with their sha256: it must go on holding them.
    """

    repository: str
    project: str
    tag: str
    version: str
    commit: str
    files: Mapping[str, str]
    assets: tuple[str, ...] = ()
    images: tuple[ImageExpected, ...] = ()
    prerelease: bool = False
    highest: bool = True
    staging: bool = True
    end: End = End.CONVERGED
    named: tuple[str, ...] = ()
    taken: Mapping[str, str] = msgspec.field(default_factory=dict)
    since: int = 0


class RunEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a command: how it ended, and what it printed (stdout and stderr, in this order).

    ``exit_code`` is negative if a signal ended it, as of a child process. ``log_start`` and ``log_end`` are the lengths
    in bytes of the world's ``requests.jsonl`` before and after it. ``faulted``: there were faults during the run.
    ``journal`` are the lines that the run added to the journal. ``beside``: another run was at work at the same time,
    and what changed meanwhile may be its work.
    """

    command: tuple[str, ...]
    exit_code: int
    output: str
    seconds: float
    deadline: float
    log_start: int
    log_end: int
    faulted: bool = False
    beside: bool = False
    journal: str = ""


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """A release that has ended: the folder of its world, the git remote, and its runs in order.

    ``secrets`` are values that must be nowhere. ``places`` are more files and folders to look for them, such as the run
    folder and the state folder. ``baseline`` is the final state of a release of the same without faults. ``rebuilt``
    are the stages, of ``dists`` and ``images``, that built apart from it, so the bytes that they make may differ.
    """

    world: Path
    remote: Path
    expected: Expected
    runs: tuple[RunEvidence, ...]
    secrets: tuple[str, ...] = ()
    places: tuple[Path, ...] = ()
    baseline: FinalState | None = None
    rebuilt: frozenset[str] = frozenset()


class Finding(msgspec.Struct, frozen=True):
    """What is wrong, and where: a surface, a file, or a line of the log."""

    what: str
    where: str


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """A finding, and the invariant that it violates."""

    invariant: Invariant
    what: str
    where: str
