"""Pull requests of a forge, as far as a release needs them."""

from __future__ import annotations

from typing import Protocol

import msgspec


class PullRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One pull request. ``head`` is the last commit of its branch, ``merged`` the commit that merging it made."""

    number: int
    url: str
    head: str
    base: str
    is_open: bool
    merged: str | None = None


class PullRequests(Protocol):
    """The pull requests of one repository."""

    def of_branch(self, branch: str) -> tuple[PullRequest, ...]:
        """Those that ask to merge a branch of the repository itself, newest first. Raises `Denied`, `Unknown`."""

    def create(self, *, branch: str, base: str, title: str, body: str) -> PullRequest:
        """Ask to merge a branch. Raises `Denied`, `Rejected` if there is one already, `Unknown`."""

    def update(self, number: int, *, title: str, body: str) -> PullRequest:
        """Replace title and text of one. Raises `Denied`, `Rejected`, `Unknown`."""
