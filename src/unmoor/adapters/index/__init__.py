"""A package index: reads its pages, compares files by digest, and uploads with twine.

Implements `unmoor.ports.index` for any index that speaks PyPI's protocol. Begin with `PackageIndex` in this module,
then `read` and `send`; `trusted` gets a token without a stored login.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.version import Version

from unmoor import advice
from unmoor.adapters.http.download import repeated
from unmoor.adapters.http.session import BoundedSession
from unmoor.adapters.http.urls import origin
from unmoor.adapters.index.hashes import Hashes
from unmoor.adapters.index.read import Reader
from unmoor.errors import Denied, Unknown
from unmoor.ports.clock import Clock
from unmoor.ports.index import AttestedBy, Credential, Holding, ListedFile, LoginProbe, ProjectStatus, Proved, Sending
from unmoor.ports.world import IndexPlace
from unmoor.products import File
from unmoor.util.values import replace

if TYPE_CHECKING:
    from unmoor.adapters.index.send import Senders
    from unmoor.adapters.index.trusted import TrustedPublishing

__all__ = ["PackageIndex"]

# The largest download in bytes if the index gives no size.
_LARGEST = 2 << 30


@dataclass(frozen=True)
class PackageIndex:
    """`unmoor.ports.index.Index` over HTTP. Without a clock, it retries no read.

    ``trusted`` is trusted publishing to this index; without it, only a stored login is used.
    """

    place: IndexPlace
    http: BoundedSession
    clock: Clock | None = None
    trusted: TrustedPublishing | None = None

    @property
    def name(self) -> str:
        """The user's name for the index."""
        return self.place.name

    @property
    def page(self) -> str:
        """The address of a release's web page, with the placeholders ``{project}`` and ``{version}``."""
        return self.place.page

    def credential(self) -> Credential:
        """Whether there is a login for uploads, and where it comes from. Sends nothing. Raises `Denied`."""
        if self.trusted is not None:
            return self.trusted.credential()
        return Credential(present=bool(self.place.login.secret), origin=self.place.login.origin)

    def prove_login(self, project: str, upto: LoginProbe) -> Proved:
        """Check a stored login by its own content, or mint a token if ``upto`` allows. Raises `Denied`, `Unknown`."""
        credential = self.credential()
        if self.trusted is not None and credential.minted:
            return self.trusted.prove(upto)
        from unmoor.adapters.index.tokens import check_login

        described = check_login(self.place, project)
        return Proved(taken=False, detail=f"login from {credential.origin}{f': {described}' if described else ''}")

    def status(self, project: str) -> ProjectStatus | None:
        """The status of a project, ``None`` if the index does not have it. Raises `Unknown`, `Denied`."""
        return self._reader.status(project)

    def versions(self, project: str) -> Mapping[Version, bool]:
        """Every version, and whether it is yanked; see the port. Raises `Unknown`, `Denied`."""
        return self._reader.versions(project)

    def holding(self, project: str, version: str) -> Holding:
        """Read both APIs; download and hash files that have no hash in either. Raises `Unknown`, `Denied`."""
        return self._hashes.filled(self._reader.holding(project, version))

    def why_no_attestations(self) -> str:
        """Why the index takes no attestations with this login; empty if it does. Sends nothing. Raises `Denied`.

        PyPI takes them only from a trusted publisher, whose token may also come from another step of the job.
        """
        from unmoor.adapters.index.macaroon import restrictions

        credential = self.credential()
        token = restrictions(self.place.login.secret.reveal())
        if credential.minted or (token is not None and token.minted):
            return ""
        return f"the login is from {credential.origin}, and only trusted publishing may send attestations"

    def attestations(self, listed: ListedFile) -> tuple[bytes, ...]:
        """Read the attestations of a file; see the port. Raises `Unknown`, `Denied`."""
        return tuple(bundle for each in self.provenance(listed) for bundle in each.bundles)

    def provenance(self, listed: ListedFile) -> tuple[AttestedBy, ...]:
        """Read the attestations of a file by their publisher; see the port. Raises `Unknown`, `Denied`."""
        return self._reader.provenance(listed)

    def links(self, project: str, version: str) -> Mapping[str, str]:
        """The addresses in the metadata of a version. Raises `Unknown`, `Denied`."""
        return self._reader.links(project, version)

    def send(self, file: File, signature: bytes = b"") -> Sending:
        """Upload a file, in exactly one try, with the signature of its publish attestation if there is one.

        Raises `Denied`, `Conflict`, `InvalidDist`, and `Unknown` if no token could be minted.
        """
        place = self.place
        if self.trusted is not None and self.trusted.credential().minted:
            place = replace(place, login=self.trusted.login())
        attestation = b""
        if signature:
            from unmoor.adapters.sigstore.attestations import to_attestation

            attestation = to_attestation(signature)
        return self._senders.send(place, file, self.http.bounds, attestation)

    def fetch(self, listed: ListedFile, into: Path) -> File:
        """Download a file and check its sha256. Raises `Unknown`, `Conflict`, `Denied`.

        Sends no credentials unless the server asks for them and is the one that takes the uploads.
        """
        if listed.sha256 is None:
            raise Unknown(
                f"{self.name} gives no sha256 for {listed.name}",
                where=self.place.simple,
                next_step=advice.USE_INDEX_WITH_HASHES(),
                retryable=False,
            )
        return self._fetched(listed, into, listed.size or _LARGEST)

    def _fetched(self, listed: ListedFile, into: Path, most: int) -> File:
        download = partial(
            self.http.download, listed.url, into, listed.name, sha256=listed.sha256, size=listed.size, limit=most
        )
        try:
            return repeated(download, self.clock)
        except Denied:
            if not self.place.login.secret or origin(listed.url) != origin(self.place.upload):
                raise
            return repeated(partial(download, login=self.place.login), self.clock)

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
