"""Comments on a pull request or an issue of a forge, of which a program keeps one of its own up to date."""

from __future__ import annotations

from typing import Protocol

import msgspec


class Comment(msgspec.Struct, frozen=True, kw_only=True):
    """One comment, in Markdown."""

    id: int
    body: str
    url: str


class Comments(Protocol):
    """The comments of one repository. Everything raises `Denied`, `Rejected`, `Unknown`."""

    def own(self, number: int, marker: str) -> tuple[Comment, ...]:
        """Those on a pull request that begin with a marker and whose author is the user of the token, oldest first."""

    def create(self, number: int, body: str) -> Comment:
        """Write one."""

    def update(self, comment: Comment, body: str) -> Comment:
        """Replace the text of one."""
