"""A package index: what it holds, by digest, and one try at an upload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Protocol

from packaging.version import Version

from unmoor.products import File


@dataclass(frozen=True, kw_only=True)
class ListedFile:
    """One file as an index lists it; ``sha256`` is ``None`` where the index gives no hash and none could be had.

    ``fetched``: the index gives none, and this is that of the bytes which it serves.
    """

    name: str
    url: str
    sha256: str | None
    size: int | None = None
    yanked: bool = False
    fetched: bool = False


@dataclass(frozen=True, kw_only=True)
class Holding:
    """What an index says it holds of one version of one project, in its two voices.

    ``simple`` is what installers read (PEP 503, PEP 691), ``json`` the JSON API of the version,
    each a mapping of file name to `ListedFile`; ``None`` where the index has no such API. The simple
    index may be stale for minutes while the JSON API is fresh: stale is not absent.
    """

    simple: Mapping[str, ListedFile]
    json: Mapping[str, ListedFile] | None

    def listed(self, name: str) -> ListedFile | None:
        """Return the file under that name, whichever voice knows it; a voice with a hash first."""
        heard = [voice[name] for voice in (self.json, self.simple) if voice and name in voice]
        return next((file for file in heard if file.sha256), heard[0] if heard else None)

    @property
    def names(self) -> frozenset[str]:
        """Every file name that either voice knows."""
        return frozenset(self.simple) | frozenset(self.json or {})

    @property
    def stale(self) -> frozenset[str]:
        """Names that the JSON API knows and installers cannot see yet."""
        return frozenset(self.json or {}) - frozenset(self.simple)


@dataclass(frozen=True, kw_only=True)
class Sent:
    """The index took the bytes (or already had the very same ones)."""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """The index said no: ``status`` and the ``reason`` in its own words, cleaned for a terminal."""

    status: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Busy:
    """The index asked to come back: 429, or 503 with Retry-After. ``wait`` in seconds, 0 where unsaid."""

    wait: float
    reason: str


@dataclass(frozen=True, kw_only=True)
class Lost:
    """No answer that can be believed (5xx, time-out, reset): the bytes may be there. Look before sending again."""

    reason: str


Sending = Sent | Refusal | Busy | Lost


@dataclass(frozen=True, kw_only=True)
class Credential:
    """What is known about the login without a request: where it comes from, in words, or why there is none.

    ``minted``: it does not exist yet, and trusted publishing will give it. ``remedy`` says what
    else would give one, where there is none.
    """

    present: bool
    origin: str
    minted: bool = False
    remedy: str = ""


class LoginProbe(IntEnum):
    """How far the proving of a login may go."""

    READING = 0
    """Nothing is requested: what the credential says of itself is all."""
    ASKING = 1
    """The CI is asked who this job is, and the index is not told."""
    MINTING = 2
    """Trusted publishing's exchange. No mere read: it creates the project of a pending publisher."""


@dataclass(frozen=True, kw_only=True)
class Proved:
    """What came of proving a login: whether the index has taken it, and what is known, in words."""

    taken: bool
    detail: str


class Index(Protocol):
    """One package index."""

    @property
    def name(self) -> str:
        """What the user calls it: ``pypi``, ``testpypi``, or the world's own word."""

    @property
    def page(self) -> str:
        """The address a person would open to see the project there; ``{project}`` and ``{version}`` stand in it."""

    def credential(self) -> Credential:
        """Say whether there is a login for uploads. Never sends anything. Raises `Denied` where there are two."""

    def prove_login(self, project: str, upto: LoginProbe) -> Proved:
        """Prove the login of `credential`, which is there, as far as that may go.

        Raises `Denied` where it is for another index or project, has ended, or was refused, and `Unknown`.
        """

    def knows(self, project: str) -> bool:
        """Whether the index has the project at all. Raises `Unknown`."""

    def versions(self, project: str) -> Mapping[Version, bool]:
        """Every version of which there is a file, and whether all its files are yanked. Raises `Unknown`, `Denied`.

        Empty where the index does not have the project. Names that say no version are left out.
        """

    def holding(self, project: str, version: str) -> Holding:
        """Read both voices. Nothing of that version gives empty mappings. Raises `Unknown`."""

    def send(self, file: File) -> Sending:
        """Try exactly once to upload. Raises `Denied` for 401 and 403, `Conflict` where the file changed on disk."""

    def fetch(self, listed: ListedFile, into: Path) -> File:
        """Download, without credentials, into a folder, checking the sha256. Raises `Unknown`, `Conflict`."""
