"""Issues of a forge, as far as a command needs them: one that it opens, keeps up to date and closes again."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

import msgspec


class Issue(msgspec.Struct, frozen=True, kw_only=True):
    """One issue that the token's own user opened."""

    number: int
    url: str
    title: str
    body: str
    is_open: bool


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What the one issue should be. It is closed if it is not needed."""

    title: str
    body: str
    is_needed: bool


class Issues(Protocol):
    """The issues of one repository."""

    def own(self, marker: str) -> tuple[Issue, ...]:
        """Those that the token's own user opened and whose text begins with a marker, newest first.

        A marker is a comment of Markdown, so nobody sees it. Only an own issue counts, since anybody can write the
        marker. Raises `Denied`, `Unknown`.
        """

    def create(self, *, title: str, body: str) -> Issue:
        """Open an issue. Raises `Denied`, `Rejected`, `Unknown`."""

    def update(self, number: int, *, title: str, body: str, is_open: bool) -> Issue:
        """Replace title and text, and open or close it. Raises as `create` does."""


class Kept(StrEnum):
    """What became of the one issue."""

    OPENED = "opened"
    REOPENED = "reopened"
    UPDATED = "updated"
    CLOSED = "closed"
    UNCHANGED = "unchanged"
    NOT_NEEDED = "not needed"


def one_of(found: tuple[Issue, ...]) -> Issue | None:
    """The issue to keep: of those that are open the first one, else the last one that was closed."""
    is_open = [issue for issue in found if issue.is_open]
    if is_open:
        return min(is_open, key=lambda issue: issue.number)
    return max(found, key=lambda issue: issue.number, default=None)


def keep_one(
    issues: Issues, before: Issue | None, *, title: str, body: str, is_needed: bool
) -> tuple[Issue | None, Kept]:
    """Open, update, reopen or close the one issue, and say what was done. Nothing is sent if nothing changes.

    ``before`` is what `one_of` found. Raises as `Issues` does.
    """
    if before is None:
        return (issues.create(title=title, body=body), Kept.OPENED) if is_needed else (None, Kept.NOT_NEEDED)
    if not is_needed and not before.is_open:
        return before, Kept.NOT_NEEDED
    if before.is_open is is_needed and (before.title, before.body) == (title, body):
        return before, Kept.UNCHANGED
    after = issues.update(before.number, title=title, body=body, is_open=is_needed)
    if not is_needed:
        return after, Kept.CLOSED
    return after, Kept.UPDATED if before.is_open else Kept.REOPENED
