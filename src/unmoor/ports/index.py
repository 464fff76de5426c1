"""A package index: what it holds, by digest, and single upload attempts."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from pathlib import Path
from typing import Protocol

import msgspec
from packaging.version import Version

from unmoor.advice import NOTHING, NextStep
from unmoor.products import File


class ListedFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file as an index lists it. ``sha256`` is ``None`` if the index gives no hash and the file cannot be read.

    ``fetched``: the index gives no hash; this one was computed from the bytes that it serves. ``provenance`` is the
    address of its attestations (PEP 740), which only the simple index gives; empty if it has none.
    """

    name: str
    url: str
    sha256: str | None
    size: int | None = None
    yanked: bool = False
    fetched: bool = False
    provenance: str = ""


class Publisher(msgspec.Struct, frozen=True, kw_only=True):
    """Who published a file, as the index says: the trusted publisher that its attestations were checked against.

    ``kind`` is the service, such as ``GitHub``; ``workflow`` the file name of the workflow. What is unknown is empty.
    """

    kind: str
    repository: str = ""
    workflow: str = ""
    environment: str = ""


class AttestedBy(msgspec.Struct, frozen=True, kw_only=True):
    """The attestations of one file by one publisher, as Sigstore bundles. Nothing has checked them."""

    publisher: Publisher
    bundles: tuple[bytes, ...]


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """What an index holds of one version of one project, as its two APIs list it.

    ``simple`` is what installers read (PEP 503, PEP 691), ``json`` the JSON API of the version; each maps
    file names to `ListedFile`. ``json`` is ``None`` if the index has no such API. The simple index may lag
    behind the JSON API for minutes: stale is not absent.
    """

    simple: Mapping[str, ListedFile]
    json: Mapping[str, ListedFile] | None

    def listed(self, name: str) -> ListedFile | None:
        """Return the file of that name from either API, preferably with a hash."""
        found = [api[name] for api in (self.json, self.simple) if api and name in api]
        return next((file for file in found if file.sha256), found[0] if found else None)

    @property
    def names(self) -> frozenset[str]:
        """Every file name that either API lists."""
        return frozenset(self.simple) | frozenset(self.json or {})

    @property
    def stale(self) -> frozenset[str]:
        """Names that the JSON API lists and installers cannot see yet."""
        return frozenset(self.json or {}) - frozenset(self.simple)


class ProjectStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The status of a project on an index, and the index's reason, empty if it gives none (PEP 792).

    An index without statuses has only active projects. A status that PEP 792 does not define is kept as it is.
    """

    marker: str = "active"
    reason: str = ""

    @property
    def takes_uploads(self) -> bool | None:
        """Whether the index takes files of the project; ``None`` if the status does not say."""
        return {"active": True, "deprecated": True, "archived": False, "quarantined": False}.get(self.marker)


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """The index accepted the bytes, or already had the same ones."""


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """The index refused: HTTP ``status``, and its ``reason``, cleaned for a terminal."""

    status: int
    reason: str


class Busy(msgspec.Struct, frozen=True, kw_only=True):
    """The index asks to retry later: 429, or 503 with Retry-After. ``wait`` in seconds, 0 if it names none."""

    wait: float
    reason: str


class Lost(msgspec.Struct, frozen=True, kw_only=True):
    """No usable answer (5xx, time-out, reset, a page of something else): the bytes may be there.

    Look before sending again.
    """

    reason: str


Sending = Sent | Refusal | Busy | Lost


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a login without a request: where it comes from, as text, or why there is none.

    ``minted``: trusted publishing will provide it. ``remedy`` says how to get one, if there is none. ``by_hand``: no CI
    runs this process.
    """

    present: bool
    origin: str
    minted: bool = False
    remedy: NextStep = NOTHING
    by_hand: bool = False


class LoginProbe(IntEnum):
    """How far a login may be probed."""

    READING = 0
    """No request: only what the credential itself says."""
    ASKING = 1
    """Ask the CI service who this job is; the index learns nothing."""
    MINTING = 2
    """Exchange the identity for a token. Not a mere read: it creates the project of a pending publisher."""


class Proved(msgspec.Struct, frozen=True, kw_only=True):
    """The result of probing a login: whether the index accepted it, and details as text.

    ``warning`` says why the index may refuse it all the same, empty if nothing suggests that.
    """

    taken: bool
    detail: str
    warning: str = ""


class Index(Protocol):
    """One package index."""

    @property
    def name(self) -> str:
        """The name that users see: ``pypi``, ``testpypi``, or the one in the world file."""

    @property
    def page(self) -> str:
        """The web address of a project, with ``{project}`` and ``{version}`` in it."""

    def credential(self) -> Credential:
        """Say whether there is a login for uploads. Sends nothing. Raises `Denied` if there are two."""

    def prove_login(self, project: str, upto: LoginProbe) -> Proved:
        """Probe the existing login of `credential`, no further than ``upto``.

        Raises `Denied` if it is for another index or project, has expired, or is refused, and `Unknown`.
        """

    def status(self, project: str) -> ProjectStatus | None:
        """The status of a project, ``None`` if the index does not have the project. Raises `Unknown`, `Denied`."""

    def versions(self, project: str) -> Mapping[Version, bool]:
        """Every version with a file, and whether all its files are yanked. Raises `Unknown`, `Denied`.

        Empty if the index does not have the project. File names without a version are skipped.
        """

    def holding(self, project: str, version: str) -> Holding:
        """Read both APIs. The mappings are empty if there is nothing of that version. Raises `Unknown`."""

    def why_no_attestations(self) -> str:
        """Why the index takes no attestations with this login (PEP 740); empty if it does. Sends nothing."""

    def attestations(self, listed: ListedFile) -> tuple[bytes, ...]:
        """Read the attestations of a file in the simple index, as Sigstore bundles; none if it has none (PEP 740).

        Checks no signature. Raises `Unknown`, also if one cannot be read, and `Denied`.
        """

    def provenance(self, listed: ListedFile) -> tuple[AttestedBy, ...]:
        """Read the same attestations, with whom the index calls their publisher. Raises as `attestations` does."""

    def links(self, project: str, version: str) -> Mapping[str, str]:
        """The addresses that a version gives of itself, by label, from its metadata. Anybody may write anything there.

        Empty if the index has no JSON API, or not this version. Raises `Unknown`, `Denied`.
        """

    def send(self, file: File, signature: bytes = b"") -> Sending:
        """Upload, trying once. Raises `Denied` for 401 and 403, `Conflict` if the file changed on disk.

        ``signature`` is a Sigstore bundle of the file's publish attestation, sent as an attestation (PEP 740).
        """

    def fetch(self, listed: ListedFile, into: Path) -> File:
        """Download without credentials into a folder, and check the sha256. Raises `Unknown`, `Conflict`."""
