"""What a forge remembers of a repository's past: runs of workflows, their jobs, releases and pull requests."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Protocol

import msgspec

PAGE: Final = 100
"""Items on a page of any list."""
CEILING: Final = 1000
"""A query of runs shows this many at most, on all its pages."""
EXACT: Final = 2500
"""From here on, a query of runs no longer counts exactly."""


class OutOfRequests(Exception):
    """There are no requests left for this run: those that it may send, or those that the forge still accepts."""


class PastRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run as it is in its last ``attempt``. ``workflow`` is the path of its file; ``conclusion`` is empty before."""

    id: int
    attempt: int
    workflow: str
    name: str
    event: str
    branch: str
    commit: str
    status: str
    conclusion: str
    created: datetime
    started: datetime | None
    url: str


class PastJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job of one attempt of a run. ``conclusion`` is empty until it is completed."""

    id: int
    attempt: int
    name: str
    commit: str
    conclusion: str
    created: datetime | None
    started: datetime | None
    completed: datetime | None


class PastRelease(msgspec.Struct, frozen=True, kw_only=True):
    """A published release."""

    id: int
    tag: str
    published: datetime
    prerelease: bool


class PastPull(msgspec.Struct, frozen=True, kw_only=True):
    """A pull request. ``branch`` is what it asks to merge."""

    number: int
    title: str
    author: str
    branch: str
    labels: tuple[str, ...]
    created: datetime
    updated: datetime
    closed: datetime | None
    merged: datetime | None


class RunPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of runs, newest first. ``total`` counts those on all pages, exactly below `EXACT`."""

    total: int
    runs: tuple[PastRun, ...]


class RunHistory(Protocol):
    """The past of one repository. May be used by several threads.

    Pages are counted from 1. Every method raises `OutOfRequests` before it sends a request too many, `Denied` if the
    repository is not there or not visible, and `Unknown` for an answer that is not complete.
    """

    @property
    def requests(self) -> int:
        """How many requests were sent."""

    def runs(self, page: int, *, since: datetime | None = None, until: datetime | None = None) -> RunPage:
        """A page of the runs that were created between two moments, or of all."""

    def run(self, number: int, *, attempt: int | None = None) -> PastRun | None:
        """A run in its last attempt or in an earlier one; ``None`` if it was deleted."""

    def jobs(self, run: int) -> tuple[PastJob, ...] | None:
        """The jobs of all attempts of a run; ``None`` if it was deleted."""

    def releases(self, page: int) -> tuple[tuple[PastRelease, ...], bool]:
        """A page of the published releases, and whether there are more pages."""

    def pulls(self, page: int) -> tuple[tuple[PastPull, ...], bool]:
        """A page of all pull requests, those that changed last first, and whether there are more pages."""
