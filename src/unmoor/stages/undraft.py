"""The stage ``undraft``: publish the draft in one call, which also sets its prerelease and latest marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from unmoor import advice
from unmoor.core.stage import Output, Publish, StageContext, without_none
from unmoor.errors import Conflict, Incomplete, Unknown
from unmoor.ports.clock import Clock
from unmoor.ports.failure import require_not_put_off
from unmoor.ports.forge import Forge, ForgeRelease
from unmoor.ports.git import Git
from unmoor.ports.poll import poll
from unmoor.ports.services import Services
from unmoor.products import Asset, Draft, MovedTags, PublishedRelease, Pushed, Release, Uploaded
from unmoor.publish.draft_recheck import expected_assets, find_draft, missing_assets, require_assets
from unmoor.publish.tag_recheck import verify_tag_unmoved
from unmoor.release_request import ReleaseRequest
from unmoor.versioning import pep440

# Seconds between reads: a release may show a moment after it was published.
_PAUSES = (0.0, 1.0, 2.0, 4.0, 8.0)
_UPLOADED = "the files are on the index already, and stay there"


@dataclass(frozen=True, kw_only=True)
class PublishDraft(Publish[PublishedRelease]):
    """Makes the draft public. Marks it GitHub's "latest" only if it is the highest final version.

    A repository has one "latest": a project in a subfolder never takes it from another project's release.
    """

    name: str = "undraft"
    release: Output[Release]
    draft: Output[Draft]
    pushed: Output[Pushed] | None = None
    forge: Forge
    git: Git
    clock: Clock

    @classmethod
    def of(
        cls,
        _request: ReleaseRequest,
        services: Services,
        *,
        release: Output[Release],
        draft: Output[Draft],
        pushed: Output[Pushed] | None,
        uploaded: Output[Uploaded],
        tagged: Output[MovedTags] | None,
    ) -> Self:
        """Build the stage for a request. ``pushed`` and ``tagged`` are ``None`` for a project without images."""
        return cls(
            release=release,
            draft=draft,
            pushed=pushed,
            forge=services.forge,
            git=services.git,
            clock=services.clock,
            after=without_none(uploaded, tagged),
        )

    def plan(self) -> str:
        """Say what would be published."""
        return f"publish the draft release at {self.forge.address}; latest only if it is the highest final version"

    def find(self, context: StageContext) -> PublishedRelease | None:
        """Return the public release if its prerelease and latest marks are correct, too.

        A release with wrong marks counts as absent: this stage owns them, and `make` sets them. Raises
        `Conflict` if another release object than our draft is public.
        """
        return self._find_published(context[self.release], context[self.draft])

    def make(self, context: StageContext) -> PublishedRelease:
        """Publish in one call, then read the release as the public sees it."""
        release, draft = context[self.release], context[self.draft]
        verify_tag_unmoved(self.git, release, already=_UPLOADED)
        forge_release, assets = self._require_draft(context)
        latest = _is_latest(release, self.forge.latest() if release.path else None)
        try:
            self.forge.publish(forge_release, prerelease=release.prerelease, latest=latest)
        except Unknown as error:
            context.say(f"no usable answer, checking whether it is public: {error.what}")
            if self._find_published(release, draft) is None:
                try:
                    self.forge.publish(forge_release, prerelease=release.prerelease, latest=latest)
                except Unknown as again:
                    require_not_put_off(again)
                    raise
        page = poll(lambda: self._find_published(release, draft), waits=_PAUSES, clock=self.clock)
        self._require_public(release, assets)
        if page is not None:
            return page
        if not release.highest and (there := self._find_public(release, draft)) is not None:
            # We asked for "not latest", but the forge has no other final release to mark.
            context.warn(f"the forge marks {release.tag} as the latest, though a higher final version is published")
            return PublishedRelease(url=there.url, tag=there.tag, prerelease=there.prerelease, latest=True)
        raise Incomplete(
            f"{release.tag} was published, but does not show as"
            f" {'a prerelease' if release.prerelease else 'a final release'}"
            f"{' and the latest' if release.highest else ''} yet",
            where=forge_release.url,
        )

    def _require_draft(self, context: StageContext) -> tuple[ForgeRelease, tuple[Asset, ...]]:
        """Read the draft at the last moment. Return it with what it holds. Raises `Conflict`, `Incomplete`."""
        draft = context[self.draft]
        try:
            forge_release = find_draft(self.forge, self.clock, draft)
            pushed = context[self.pushed] if self.pushed is not None else None
            assets = expected_assets(forge_release, draft, pushed)
            require_assets(forge_release, assets, self.forge)
        except (Conflict, Incomplete) as error:
            raise error.amended(also=_UPLOADED) from error
        return forge_release, assets

    def _require_public(self, release: Release, assets: Sequence[Asset]) -> None:
        """Check what became public: somebody may have changed an asset, or the tag, at that very moment.

        Raises `Conflict`, `Incomplete`, `Refused`.
        """

        def is_whole(seen: ForgeRelease | None) -> bool:
            return seen is not None and not missing_assets(seen, assets)

        there = poll(lambda: self.forge.public(release.tag), until=is_whole, waits=_PAUSES, clock=self.clock)
        if there is not None:
            require_assets(there, assets, self.forge)
        verify_tag_unmoved(self.git, release, already=f"{release.tag} is public already, and stays")

    def remedy(self, product: PublishedRelease) -> str:
        """Say what a person can do about a release that should not be public."""
        return (
            f"{product.tag} is public at {product.url} and stays: people may have downloaded it. Edit its notes"
            " there to warn them, or mark it as a pre-release there so that it is no longer the latest; then release"
            " a new version."
        )

    def _find_published(self, release: Release, draft: Draft) -> PublishedRelease | None:
        """The public release, if both marks are correct."""
        forge_release = self._find_public(release, draft)
        if forge_release is None:
            return None
        current = self.forge.latest()
        latest = _is_latest(release, current)
        if (current == release.tag) != latest:
            return None
        return PublishedRelease(
            url=forge_release.url, tag=forge_release.tag, prerelease=forge_release.prerelease, latest=latest
        )

    def _find_public(self, release: Release, draft: Draft) -> ForgeRelease | None:
        """The public release, if its prerelease mark is correct. Raises `Conflict` if it is not our draft."""
        forge_release = self.forge.public(release.tag)
        if forge_release is not None and forge_release.id != draft.id:
            raise Conflict(
                f"the public release of {release.tag} (number {forge_release.id}) is not the draft of this run"
                f" (number {draft.id})",
                where=forge_release.url,
                next_step=advice.KEEP_ONE_RELEASE(),
                retryable=True,
            )
        return forge_release if forge_release is not None and forge_release.prerelease == release.prerelease else None


def _is_latest(release: Release, current: str | None) -> bool:
    """Whether to mark a release as the latest, while ``current`` is; never in place of another project's release."""
    may_replace = not release.path or current is None or pep440.is_release_tag(current, prefix=release.prefix)
    return release.highest and may_replace
