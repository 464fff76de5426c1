"""A service that builds documentation itself, as Read the Docs does, from a tag of the repository."""

from __future__ import annotations

from typing import Protocol

import msgspec


class HostedBuild(msgspec.Struct, frozen=True, kw_only=True):
    """One build of a version: its number, whether it has ended, and then whether it went well, and of which commit.

    ``commit`` is empty as long as the service does not know it. ``error`` is what the service says of a failure, and
    ``address`` is the page with its log.
    """

    id: int
    finished: bool
    success: bool
    commit: str
    error: str = ""
    address: str = ""


class HostedVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A version as the service has it: its name in addresses, whether it is built at all, and where users see it."""

    slug: str
    active: bool
    address: str


class DocsService(Protocol):
    """One project of the service.

    Every method raises `Unknown`, and `Denied` for a wrong token; those that change something raise `Rejected` and
    `TryLater` as well.
    """

    @property
    def where(self) -> str:
        """The address of the project."""

    def version(self, tag: str) -> HostedVersion | None:
        """The version of a tag, ``None`` if the service has not heard of it. Raises `Refused` for no such project."""

    def builds(self, version: HostedVersion) -> tuple[HostedBuild, ...]:
        """The last builds of a version, the newest first."""

    def build(self, number: int) -> HostedBuild:
        """One build as it is now."""

    def synchronize(self) -> None:
        """Let the service look for new tags."""

    def activate(self, version: HostedVersion) -> None:
        """Let the service build a version and show it. It may begin a build at once."""

    def trigger(self, version: HostedVersion) -> int:
        """Begin a build, and return its number."""
