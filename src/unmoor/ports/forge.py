"""The forge (GitHub, or GitHub Enterprise): one repository's releases and their assets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from unmoor.products import File


@dataclass(frozen=True, kw_only=True)
class ForgeRepository:
    """What the forge says of the repository; ``can_push`` is ``None`` where it does not say."""

    full_name: str
    private: bool
    archived: bool
    can_push: bool | None


@dataclass(frozen=True, kw_only=True)
class ForgeAsset:
    """One asset as the forge holds it.

    ``uploaded`` is false for an asset that was begun and broken off (state ``starter``);
    ``sha256`` is ``None`` where the forge gives no digest. ``public`` is true where anybody may
    download it: `Forge.fetch` then sends no credentials.
    """

    id: int
    name: str
    size: int
    sha256: str | None
    uploaded: bool
    url: str
    public: bool = False


@dataclass(frozen=True, kw_only=True)
class ForgeRelease:
    """One release object on the forge, draft or public. ``immutable``: the forge itself refuses every change."""

    id: int
    tag: str
    target: str
    name: str
    body: str
    draft: bool
    prerelease: bool
    url: str
    upload_url: str
    assets: tuple[ForgeAsset, ...]
    immutable: bool = False


class Forge(Protocol):
    """One repository on one forge."""

    @property
    def address(self) -> str:
        """Where a person would open the repository."""

    def has_token(self) -> bool:
        """Whether there is a token at all. Never sends anything."""

    def repository(self) -> ForgeRepository:
        """Read the repository. Raises `Denied`, `Unknown`."""

    def releases(self, tag: str) -> tuple[ForgeRelease, ...]:
        """Every release object of the tag, drafts included, the oldest first.

        Drafts are found by listing only, and listed only to who may push: where the answer is
        empty and push access is not known, raises `Unknown`. Raises `Denied`, `Unknown`.
        """

    def public(self, tag: str) -> ForgeRelease | None:
        """The published release of the tag, read without credentials where the repository is public."""

    def attested(self, tag: str) -> bool | None:
        """Whether the forge says that a release of the tag was published for ever, be it deleted since.

        ``None`` where it does not say: the forge has no such words, or not for this token.
        """

    def released(self) -> tuple[str, ...]:
        """The tags of all public releases, prereleases among them. Raises `Denied`, `Unknown`."""

    def latest(self) -> str | None:
        """The tag of the release that the forge calls latest, ``None`` where there is none."""

    def draft(self, *, tag: str, target: str, name: str, body: str, prerelease: bool) -> ForgeRelease:
        """Create a draft. ``target`` is a full commit. Raises `Rejected`, `Denied`, `Unknown`."""

    def amend(self, forge_release: ForgeRelease, *, name: str, body: str, prerelease: bool) -> ForgeRelease:
        """Change the words and the target (``forge_release.target``) of a draft; it stays a draft."""

    def attach(self, forge_release: ForgeRelease, file: File) -> ForgeAsset:
        """Upload one asset in one try.

        Raises `Rejected` (422 for a name that is taken), `Unknown` where the answer was lost.
        """

    def detach(self, asset: ForgeAsset) -> None:
        """Remove one asset by its id."""

    def fetch(self, asset: ForgeAsset, into: Path) -> File:
        """Download an asset into a folder and hash it. Raises `Unknown`."""

    def publish(self, forge_release: ForgeRelease, *, prerelease: bool, latest: bool) -> ForgeRelease:
        """Make it public: draft, prerelease and make_latest are explicit in the one call.

        Raises `Rejected`, `Unknown`.
        """

    def remove(self, forge_release: ForgeRelease) -> None:
        """Delete a draft. Raises `Rejected` for a published release: those are never removed here."""
