"""A package index: its pages read by digest, and uploads by twine.

Implements `unmoor.ports.index`; any index that speaks PyPI's protocol will do. Begin with `PackageIndex`, here, then
`read` and `send`; `trusted` gets a token without a stored login.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.version import Version

from unmoor.adapters.http.session import BoundedSession
from unmoor.adapters.http.urls import origin
from unmoor.adapters.index.hashes import Hashes
from unmoor.adapters.index.read import Reader
from unmoor.errors import Denied, Unknown
from unmoor.ports.clock import Clock
from unmoor.ports.index import Credential, Holding, ListedFile, LoginProbe, Proved, Sending
from unmoor.ports.world import IndexPlace
from unmoor.products import File

if TYPE_CHECKING:
    from unmoor.adapters.index.send import Senders
    from unmoor.adapters.index.trusted import TrustedPublishing

__all__ = ["PackageIndex"]

# Bytes of a file whose size an index does not tell.
_LARGEST = 2 << 30


@dataclass(frozen=True)
class PackageIndex:
    """`unmoor.ports.index.Index` over HTTP. Without a clock, no read is tried twice.

    ``trusted`` is for this very place; without it, only a stored login is used.
    """

    place: IndexPlace
    http: BoundedSession
    clock: Clock | None = None
    trusted: TrustedPublishing | None = None

    @property
    def name(self) -> str:
        """What the user calls it."""
        return self.place.name

    @property
    def page(self) -> str:
        """The address a person would open; ``{project}`` and ``{version}`` stand in it."""
        return self.place.page

    def credential(self) -> Credential:
        """Say whether there is a login for uploads, and where it comes from. Never sends anything. Raises `Denied`."""
        if self.trusted is not None:
            return self.trusted.credential()
        return Credential(present=bool(self.place.login.secret), origin=self.place.login.origin)

    def prove_login(self, project: str, upto: LoginProbe) -> Proved:
        """Judge a stored login by what it says itself; mint one, if that may be. Raises `Denied`, `Unknown`."""
        credential = self.credential()
        if self.trusted is not None and credential.minted:
            return self.trusted.prove(upto)
        from unmoor.adapters.index.tokens import judge

        told = judge(self.place, project)
        return Proved(taken=False, detail=f"login from {credential.origin}{f': {told}' if told else ''}")

    def knows(self, project: str) -> bool:
        """Whether the index has the project at all. Raises `Unknown`, `Denied`."""
        return self._reader.knows(project)

    def versions(self, project: str) -> Mapping[Version, bool]:
        """Every version, and whether it is yanked; see the port. Raises `Unknown`, `Denied`."""
        return self._reader.versions(project)

    def holding(self, project: str, version: str) -> Holding:
        """Read both voices; files that have no hash in either are fetched and hashed. Raises `Unknown`, `Denied`."""
        return self._hashes.filled(self._reader.holding(project, version))

    def send(self, file: File) -> Sending:
        """Upload, trying exactly once.

        Raises `Denied`, `Conflict`, `InvalidDist`, and `Unknown` if no token was minted.
        """
        place = self.place
        if self.trusted is not None and self.trusted.credential().minted:
            place = replace(place, login=self.trusted.login())
        return self._senders.send(place, file, self.http.bounds)

    def fetch(self, listed: ListedFile, into: Path) -> File:
        """Download, checking the sha256; without credentials, unless the index that takes our uploads asks for them.

        Raises `Unknown`, `Conflict`, `Denied`.
        """
        if listed.sha256 is None:
            raise Unknown(
                f"{self.name} gives no sha256 for {listed.name}",
                where=self.place.simple,
                next_step="use an index that gives hashes: what was downloaded could not be checked",
                retryable=False,
            )
        return self._fetched(listed, into, listed.size or _LARGEST)

    def _fetched(self, listed: ListedFile, into: Path, most: int) -> File:
        download = partial(
            self.http.download, listed.url, into, listed.name, sha256=listed.sha256, size=listed.size, limit=most
        )
        try:
            return download()
        except Denied:
            if not self.place.login.secret or origin(listed.url) != origin(self.place.upload):
                raise
            return download(login=self.place.login)

    @cached_property
    def _hashes(self) -> Hashes:
        return Hashes(self._fetched)

    @cached_property
    def _senders(self) -> Senders:
        from unmoor.adapters.index.send import Senders

        senders = Senders()
        self.http.close_with(senders.close)
        return senders

    @property
    def _reader(self) -> Reader:
        return Reader(place=self.place, http=self.http, clock=self.clock)
