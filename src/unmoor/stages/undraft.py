"""Publishing the draft: one call that says draft, prerelease and latest, all three."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from unmoor.core.stage import Output, Publish, StageContext, present
from unmoor.errors import Conflict, Incomplete, Unknown
from unmoor.ports.clock import Clock
from unmoor.ports.forge import Forge, ForgeRelease
from unmoor.ports.git import Git
from unmoor.ports.poll import poll
from unmoor.ports.services import Services
from unmoor.products import Draft, MovedTags, PublishedRelease, Release, Uploaded
from unmoor.publish.tag_recheck import verify_tag_unmoved
from unmoor.release_request import ReleaseRequest
from unmoor.versioning import pep440

# Seconds between looks: what was just published may be seen a moment later.
_PAUSES = (0.0, 1.0, 2.0, 4.0, 8.0)


@dataclass(frozen=True, kw_only=True)
class PublishDraft(Publish[PublishedRelease]):
    """Make the draft public. GitHub's "latest" goes to it only if it is the highest final version.

    A repository has one "latest": a project in a folder of it never takes it from another project's release.
    """

    name: str = "undraft"
    release: Output[Release]
    draft: Output[Draft]
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
        uploaded: Output[Uploaded],
        tagged: Output[MovedTags] | None,
    ) -> Self:
        """Build the stage for a request. ``tagged`` is ``None`` for a project without images."""
        return cls(
            release=release,
            draft=draft,
            forge=services.forge,
            git=services.git,
            clock=services.clock,
            after=present(uploaded, tagged),
        )

    def plan(self) -> str:
        """Say what would be published."""
        return f"publish the draft release at {self.forge.address}; latest only if it is the highest final version"

    def find(self, context: StageContext) -> PublishedRelease | None:
        """Return the public release if its prerelease and latest marks are right too.

        Wrong marks count as absent: they are this stage's own, and `make` sets them. Raises
        `Conflict` where another release object than our draft is the public one.
        """
        return self._seen(context[self.release], context[self.draft])

    def make(self, context: StageContext) -> PublishedRelease:
        """Publish in one call, and see it as everybody sees it."""
        release, draft = context[self.release], context[self.draft]
        verify_tag_unmoved(self.git, release)
        forge_release = next((each for each in self.forge.releases(release.tag) if each.id == draft.id), None)
        if forge_release is None:
            raise Unknown(f"the draft of {release.tag} is no longer listed", where=self.forge.address)
        _require_complete(forge_release, draft)
        latest = _is_latest(release, self.forge.latest() if release.path else None)
        try:
            self.forge.publish(forge_release, prerelease=release.prerelease, latest=latest)
        except Unknown as error:
            context.say(f"no good answer, looking whether it is public: {error.what}")
            if self._seen(release, draft) is None:
                self.forge.publish(forge_release, prerelease=release.prerelease, latest=latest)
        page = poll(lambda: self._seen(release, draft), waits=_PAUSES, clock=self.clock)
        if page is not None:
            return page
        if not release.highest and (forge_release := self._marked(release, draft)) is not None:
            # It was told not to be the latest: the forge knows no other final release to call so.
            context.warn(f"the forge calls {release.tag} the latest, though a higher final version is published")
            return PublishedRelease(
                url=forge_release.url, tag=forge_release.tag, prerelease=forge_release.prerelease, latest=True
            )
        raise Incomplete(
            f"{release.tag} was published, and is not seen as"
            f" {'a prerelease' if release.prerelease else 'a final release'}"
            f"{' and the latest' if release.highest else ''} yet",
            where=forge_release.url,
        )

    def remedy(self, product: PublishedRelease) -> str:
        """Say what a person can do about a release that should not be public."""
        return (
            f"{product.tag} is public at {product.url} and stays: people may have downloaded it. Edit its notes"
            " there to warn them, or mark it as a pre-release there so that it is no longer the latest; then release"
            " a new version."
        )

    def _seen(self, release: Release, draft: Draft) -> PublishedRelease | None:
        """The public release, if both marks are right."""
        forge_release = self._marked(release, draft)
        if forge_release is None:
            return None
        called = self.forge.latest()
        latest = _is_latest(release, called)
        if (called == release.tag) != latest:
            return None
        return PublishedRelease(
            url=forge_release.url, tag=forge_release.tag, prerelease=forge_release.prerelease, latest=latest
        )

    def _marked(self, release: Release, draft: Draft) -> ForgeRelease | None:
        """The public release, if it is marked final or prerelease as it should be."""
        forge_release = self.forge.public(release.tag)
        if forge_release is not None and forge_release.id != draft.id:
            raise Conflict(
                f"another release of {release.tag} (number {forge_release.id}) is public than the one that was filled"
                f" (number {draft.id})",
                where=forge_release.url,
                next_step="delete the one that is wrong by hand",
                retryable=True,
            )
        return forge_release if forge_release is not None and forge_release.prerelease == release.prerelease else None


def _is_latest(release: Release, called: str | None) -> bool:
    """Whether a release is to be the latest where ``called`` is: below the top, never in another project's place."""
    free = not release.path or called is None or pep440.is_release_tag(called, prefix=release.prefix)
    return release.highest and free


def _require_complete(forge_release: ForgeRelease, draft: Draft) -> None:
    """See that everything is still there at the last moment. Raises `Incomplete`, `Conflict`."""
    held = {each.name: each for each in forge_release.assets if each.uploaded}
    missing = [asset.name for asset in draft.assets if asset.name not in held]
    if missing:
        raise Incomplete(f"the draft lost {', '.join(missing)}", where=forge_release.url)
    for asset in draft.assets:
        there = held[asset.name]
        if there.size != asset.size or there.sha256 not in {None, asset.sha256}:
            raise Conflict(
                f"{asset.name} on the draft is sha256 {there.sha256} ({there.size} bytes) now,"
                f" it was {asset.sha256} ({asset.size} bytes)",
                where=forge_release.url,
                next_step="find out who changed it, delete the draft",
                retryable=True,
            )
