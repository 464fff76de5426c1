"""The forge (GitHub, or GitHub Enterprise): one repository's releases and their assets."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import msgspec

from unmoor.products import File


class ForgeRepository(msgspec.Struct, frozen=True, kw_only=True):
    """The repository as the forge describes it. ``can_push`` is ``None`` if the forge does not say.

    ``id`` is its number, which no other repository ever gets; empty if the forge does not say.
    """

    full_name: str
    private: bool
    archived: bool
    can_push: bool | None
    id: str = ""


class ForgeTag(msgspec.Struct, frozen=True, kw_only=True):
    """A tag on the forge: the id of its object, and the commit, which is the same for a lightweight tag."""

    object: str
    commit: str


class ForgeRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run of a workflow that has not ended. ``status`` is the forge's word, such as ``queued`` or ``waiting``."""

    id: int
    name: str
    status: str
    url: str


class ForgeAsset(msgspec.Struct, frozen=True, kw_only=True):
    """One asset as the forge holds it.

    ``uploaded`` is false for an upload that broke off (state ``starter``); ``sha256`` is ``None`` if the
    forge gives no digest. ``public`` is true if anyone may download it: `Forge.fetch` then sends no
    credentials.
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
    """One release on the forge, draft or public. ``immutable``: the forge itself refuses every change.

    ``quiet`` is for how many seconds nothing of it has changed, by the forge's own clock; ``None`` if it does not say.
    """

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
    quiet: float | None = field(default=None, compare=False)


class Forge(Protocol):
    """One repository on one forge."""

    @property
    def address(self) -> str:
        """The web address of the repository."""

    def has_token(self) -> bool:
        """Whether there is a token. Sends nothing."""

    def repository(self) -> ForgeRepository:
        """Read the repository. Raises `Denied`, `Unknown`."""

    def login(self) -> str:
        """The name of the user whose token this is. Raises `Denied` for a token of no user, and `Unknown`."""

    def active_runs(self, tag: str) -> tuple[ForgeRun, ...]:
        """The workflow runs of a tag that have not ended, read without credentials if the repository is public.

        A branch of that name counts, too. Raises `Denied`, and `Unknown`, also if the forge has no list of runs.
        """

    def releases(self, tag: str) -> tuple[ForgeRelease, ...]:
        """Every release of the tag, drafts included, oldest first. Raises `Denied`, `Unknown`.

        Drafts appear only in the list, and only for tokens with push access: an empty answer without
        known push access raises `Unknown`.
        """

    def release(self, number: int) -> ForgeRelease | None:
        """One release by its number, draft or public, as it is now; ``None`` if there is none.

        Raises `Denied`, `Unknown`.
        """

    def public(self, tag: str) -> ForgeRelease | None:
        """The published release of the tag, read without credentials if the repository is public."""

    def attested(self, tag: str) -> bool | None:
        """Whether the forge attests an immutable release of the tag, even one that was deleted since.

        ``None`` if it does not say: it has no attestations, or not for this token.
        """

    def attestations(self, sha256: str, predicate_type: str) -> tuple[bytes, ...]:
        """The attestations of that type that the repository's workflows stored about a digest, the newest first.

        Sigstore bundles, at most a page of them; checks no signature. Raises `Denied`, and `Unknown`, also if one
        cannot be read.
        """

    def attest(self, bundle: bytes) -> None:
        """Store an attestation, which is a Sigstore bundle, trying once. It is found by the digest of each subject.

        Raises `Denied` without the permission for it, `Rejected` if it is of another repository, and `Unknown`.
        """

    def tagged(self, tag: str) -> ForgeTag | None:
        """What a tag names, read without credentials if the repository is public; ``None`` if there is no such tag.

        Raises `Denied`, `Unknown`.
        """

    def release_attestations(self, tag: ForgeTag) -> tuple[bytes, ...]:
        """The forge's own attestations about a tag: Sigstore bundles, which nothing has checked.

        Empty if there are none, or if the forge has no attestations. Raises `Denied`, `Unknown`.
        """

    def released(self) -> tuple[str, ...]:
        """The tags of all public releases, prereleases included. Raises `Denied`, `Unknown`."""

    def latest(self) -> str | None:
        """The tag of the release that the forge calls latest, ``None`` if there is none."""

    def draft(self, *, tag: str, target: str, name: str, body: str, prerelease: bool) -> ForgeRelease:
        """Create a draft. ``target`` is a full commit. Raises `Rejected`, `Denied`, `Unknown`."""

    def amend(self, forge_release: ForgeRelease, *, name: str, body: str, prerelease: bool) -> ForgeRelease:
        """Change the texts and the target (``forge_release.target``) of a draft; it stays a draft."""

    def annotate(self, forge_release: ForgeRelease, body: str) -> ForgeRelease:
        """Change only the notes of a release, draft or public; an immutable one allows that.

        Raises `Rejected`, `Denied`, `Unknown`.
        """

    def attach(self, forge_release: ForgeRelease, file: File) -> ForgeAsset:
        """Upload one asset, trying once. Raises `Rejected` (the name is taken), `Unknown` if the answer is lost."""

    def detach(self, asset: ForgeAsset) -> None:
        """Remove one asset by its id."""

    def fetch(self, asset: ForgeAsset, into: Path) -> File:
        """Download an asset into a folder and hash it. Raises `Unknown`."""

    def publish(self, forge_release: ForgeRelease, *, prerelease: bool, latest: bool) -> ForgeRelease:
        """Publish a draft: one call sets draft, prerelease and make_latest. Raises `Rejected`, `Unknown`."""

    def remove(self, forge_release: ForgeRelease) -> None:
        """Delete a draft. Raises `Rejected` for a published release, which is never deleted."""
