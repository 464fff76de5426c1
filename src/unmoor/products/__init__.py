"""The products: frozen values that stages give each other.

Paths never take part in equality: the same bytes in another folder are the same product.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Release:
    """One tag of one repository.

    ``version`` is canonical PEP 440, ``commit`` 40 hexadecimal digits, ``date`` the commit's time
    in seconds since 1970, ``repository`` ``owner/name``, ``project`` the name as the project writes it.
    ``prefix`` is what stands in the tag before the version and its ``v``, ``path`` the project's folder
    in the repository, empty where it is the top. ``settings`` says where the
    settings came from, where not from the commit: a file's name and its sha256.
    """

    repository: str
    project: str
    tag: str
    version: str
    commit: str
    date: int
    prerelease: bool
    highest: bool
    previous: str | None = None
    prefix: str = ""
    path: str = ""
    settings: str = field(default="", compare=False)

    @property
    def bare_tag(self) -> str:
        """The tag without the project's prefix: ``v1.2`` of ``pkg-v1.2``."""
        return self.tag.removeprefix(self.prefix)


class Certainty(StrEnum):
    """How far a credential or a name could be proven without writing anything."""

    PROVEN = "proven"
    UNPROVEN = "unproven"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing `access` looked at: ``proven_by`` names the stage that will prove an unproven one."""

    surface: str
    standing: Certainty
    detail: str
    proven_by: str = ""


@dataclass(frozen=True, kw_only=True)
class Access:
    """What was found out about every login, permission and name before anything is built."""

    findings: tuple[Finding, ...]


@dataclass(frozen=True, kw_only=True)
class Notes:
    """The release notes as they will be published: Markdown, at most 125,000 characters.

    ``full`` is the whole text where the body had to be cut, else equal to ``body``.
    ``source`` says where they came from, in words.
    """

    body: str
    full: str
    source: str


@dataclass(frozen=True, kw_only=True)
class File:
    """One built file: sha256 in lower-case hexadecimal, size in bytes."""

    name: str
    sha256: str
    size: int
    path: Path = field(compare=False)

    @property
    def is_wheel(self) -> bool:
        """Whether this is a wheel (PEP 427); the other kind is an sdist (PEP 625)."""
        return self.name.endswith(".whl")


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A program or library that had a hand in the release."""

    name: str
    version: str


@dataclass(frozen=True, kw_only=True)
class Dists:
    """What was built, wheels first, each kind sorted by name.

    ``decisions`` says in words what was decided otherwise than usual, such as ``wheel-from = tree``.
    """

    files: tuple[File, ...]
    tools: tuple[Tool, ...] = field(default=(), compare=False)
    decisions: tuple[str, ...] = field(default=(), compare=False)

    @property
    def wheels(self) -> tuple[File, ...]:
        """The wheels."""
        return tuple(file for file in self.files if file.is_wheel)

    @property
    def sdists(self) -> tuple[File, ...]:
        """The source distributions: one, as a rule."""
        return tuple(file for file in self.files if not file.is_wheel)


class Verdict(StrEnum):
    """What a test said. ``not tested`` is never a pass."""

    PASSED = "passed"
    NOT_TESTED = "not tested"


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A file that was tested, by its digest."""

    name: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Result:
    """One thing that was tried on the subjects."""

    name: str
    verdict: Verdict
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Proof:
    """Which digests passed which test; travels in the manifest and is never made again beside credentials."""

    name: str
    subjects: tuple[Subject, ...]
    results: tuple[Result, ...]


@dataclass(frozen=True, kw_only=True)
class CheckedDists:
    """The digests that passed ``check-dists``."""

    subjects: tuple[Subject, ...]


@dataclass(frozen=True, kw_only=True)
class Asset:
    """One asset of a release on the forge."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Draft:
    """The one release object of the tag on the forge, with all its assets, public or not yet."""

    id: int
    tag: str
    url: str
    assets: tuple[Asset, ...]


@dataclass(frozen=True, kw_only=True)
class Uploaded:
    """The files that an index holds, read back from it by digest."""

    index: str
    files: tuple[Subject, ...]


@dataclass(frozen=True, kw_only=True)
class PublishedRelease:
    """The published release on the forge."""

    url: str
    tag: str
    prerelease: bool
    latest: bool


@dataclass(frozen=True, kw_only=True)
class VerifiedItem:
    """What one surface was seen to hold at the end; ``pending`` says what is still stale there."""

    surface: str
    what: str
    digest: str
    pending: str = ""


@dataclass(frozen=True, kw_only=True)
class Verified:
    """Every surface, read back."""

    held: tuple[VerifiedItem, ...]


@dataclass(frozen=True, kw_only=True)
class Image:
    """One built image: a target of a Dockerfile on one platform; ``id`` is the digest of its configuration.

    ``name`` is the repository as users write it (``ghcr.io/owner/name``), the first one configured.
    """

    name: str
    target: str
    platform: str
    id: str
    size: int = field(compare=False)


@dataclass(frozen=True, kw_only=True)
class Images:
    """Every image that was built, in the order of the settings."""

    images: tuple[Image, ...]


@dataclass(frozen=True, kw_only=True)
class PushedImage:
    """One target on one registry: the digest that every tag will point at, and the digest of each platform.

    Where there is one platform ``digest`` is that image's manifest; else it is the index over all of them.
    """

    name: str
    target: str
    tag: str
    digest: str
    platforms: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Pushed:
    """What the registries hold under the commit tags, read back by digest."""

    images: tuple[PushedImage, ...]


@dataclass(frozen=True, kw_only=True)
class MovedTag:
    """One tag that was moved: to which digest, and where it pointed before (``None``: nowhere, or not known).

    ``floating`` tags move from release to release; the others name the version for ever.
    """

    name: str
    tag: str
    digest: str
    floating: bool = False
    before: str | None = field(default=None, compare=False)


@dataclass(frozen=True, kw_only=True)
class MovedTags:
    """Every tag of the release, and every floating tag that is rightly its own, read back."""

    pointers: tuple[MovedTag, ...]
    left: tuple[str, ...] = field(default=(), compare=False)
