"""The stage ``verify``: read every surface back by hash, as the public sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from unmoor import advice
from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.files import checksum_lines
from unmoor.artifacts.manifest import Manifest
from unmoor.core.stage import Check, Output, StageContext
from unmoor.errors import Conflict, Incomplete, Unknown
from unmoor.ports.clock import Clock
from unmoor.ports.forge import Forge, ForgeAsset, ForgeRelease
from unmoor.ports.git import Git
from unmoor.ports.index import Index
from unmoor.ports.poll import growing, poll
from unmoor.ports.registry import Registry
from unmoor.ports.services import Services
from unmoor.products import (
    Asset,
    BuiltDocs,
    Dists,
    File,
    MovedTags,
    PublishedRelease,
    Pushed,
    Release,
    Sboms,
    Signed,
    SignedImages,
    SumsSignature,
    Uploaded,
    Verified,
    VerifiedItem,
)
from unmoor.products.surface_state import Item, State, SurfaceState
from unmoor.publish.compare import FORGE, compare_index
from unmoor.publish.release_assets import SUMS, content_of, digest_of, find_asset
from unmoor.publish.tag_recheck import verify_tag_unmoved
from unmoor.release_request import ReleaseRequest
from unmoor.util.announce import announce
from unmoor.util.text import clean, duration

# Seconds between the first two reads of the index, and at most between any two.
_SHORTEST, _LONGEST = 0.5, 10.0


@dataclass(frozen=True, kw_only=True)
class VerifyRelease(Check[Verified]):
    """Reads the index, the forge, the registries and the tag back. Waits up to ``patience`` seconds for the index.

    A file that the index holds but installers cannot see yet is pending, not missing: the simple
    pages of a big index lag by minutes.
    """

    name: str = "verify"
    release: Output[Release]
    dists: Output[Dists]
    uploaded: Output[Uploaded]
    page: Output[PublishedRelease]
    pushed: Output[Pushed] | None = None
    tagged: Output[MovedTags] | None = None
    sboms: Output[Sboms] | None = None
    docs: Output[BuiltDocs] | None = None
    signed: Output[Signed] | None = None
    sums: Output[SumsSignature] | None = None
    signed_images: Output[SignedImages] | None = None
    registries: tuple[Registry, ...] = ()
    index: Index
    forge: Forge
    git: Git
    clock: Clock
    patience: float = 120.0

    @classmethod
    def of(
        cls,
        request: ReleaseRequest,
        services: Services,
        *,
        release: Output[Release],
        dists: Output[Dists],
        uploaded: Output[Uploaded],
        page: Output[PublishedRelease],
        pushed: Output[Pushed] | None,
        tagged: Output[MovedTags] | None,
        sboms: Output[Sboms] | None,
        docs: Output[BuiltDocs] | None,
        signed: Output[Signed] | None,
        sums: Output[SumsSignature] | None,
        signed_images: Output[SignedImages] | None,
    ) -> Self:
        """Build the stage for a request."""
        return cls(
            release=release,
            dists=dists,
            uploaded=uploaded,
            page=page,
            pushed=pushed,
            tagged=tagged,
            sboms=sboms,
            docs=docs,
            signed=signed,
            sums=sums,
            signed_images=signed_images,
            registries=request.registries(services),
            index=services.index,
            forge=services.forge,
            git=services.git,
            clock=services.clock,
            patience=request.settings.verify_patience,
        )

    def plan(self) -> str:
        """Say what would be read."""
        images = f" and every image from {', '.join(r.name for r in self.registries)}" if self.registries else ""
        return (
            f"read every file back by sha256 from {self.index.name} and {self.forge.address}{images}, and the tag again"
        )

    def make(self, context: StageContext) -> Verified:
        """Read every surface. Raises `Incomplete` and `Conflict` with the names of the files, and `Unknown`.

        Raises `Refused` if the tag no longer names the commit that was released.
        """
        release, dists = context[self.release], context[self.dists]
        record = context[self.pushed].record if self.pushed is not None else None
        attached = [*context[self.sboms].assets] if self.sboms is not None else []
        attached += context[self.docs].assets if self.docs is not None else ()
        attached += [Asset(name=each.name, sha256=each.sha256, size=each.size) for each in self._signatures(context)]
        attached += [record] if record is not None else []
        released = self._verify_forge(release, dists, context[self.page], attached)
        state = self._verify_index(Manifest.of(release, dists))
        held = [_verified_item(state.surface, item) for item in state.items]
        for each in held:
            if each.pending:
                context.warn(f"{each.what} is published on {each.surface}, verification pending: {each.pending}")
        images = self._verify_images(context[self.tagged]) if self.tagged else []
        images += self._verify_signed(context[self.signed_images]) if self.signed_images else []
        # Last, since the index may have taken minutes.
        verify_tag_unmoved(self.git, release)
        return Verified(held=(*held, *released, *images))

    def _signatures(self, context: StageContext) -> tuple[File, ...]:
        bundles = context[self.signed].bundles if self.signed is not None else ()
        return (*bundles, *(context[self.sums].files if self.sums is not None else ()))

    def _verify_images(self, pointed: MovedTags) -> list[VerifiedItem]:
        """Read every tag as the public does: without credentials if the repository is public."""
        from unmoor.images.image_state import image_item  # a project without images does without

        public = not self.forge.repository().private
        known = {registry.name: registry for registry in self.registries}
        items = [
            (each.name, image_item(known[each.name], each.tag, each.digest, public=public)) for each in pointed.pointers
        ]
        wrong = [(name, item) for name, item in items if item.state is not State.COMPLETE]
        if wrong:
            what = "; ".join(f"{name}:{item.name}: {item.note}" for name, item in wrong)
            pages = dict.fromkeys(known[name].page for name, _ in wrong)
            conflict = any(item.state is State.CONFLICTING for _, item in wrong)
            raise (Conflict if conflict else Incomplete)(
                what, next_step=advice.LOOK_AT_PAGES(pages=", ".join(pages)), retryable=True
            )
        return [VerifiedItem(surface=name, what=item.name, digest=item.expected) for name, item in items]

    def _verify_signed(self, signed: SignedImages) -> list[VerifiedItem]:
        """Read back that the registries list the signature of each image: another client may replace such a list."""
        known = {registry.name: registry for registry in self.registries}
        lost = [
            f"{each.name}@{each.digest}"
            for each in (*signed.images, *signed.sboms)
            if each.referrer not in {listed.digest for listed in known[each.name].referrers(each.digest)}
        ]
        if lost:
            raise Incomplete(f"the registry no longer lists the signature of {', '.join(lost)}")
        return [
            VerifiedItem(surface=each.name, what=f"signature of {each.digest}", digest=each.referrer)
            for each in signed.images
        ] + [
            VerifiedItem(surface=each.name, what=f"signed SBOM of {each.digest}", digest=each.referrer)
            for each in signed.sboms
        ]

    def _verify_index(self, manifest: Manifest) -> SurfaceState:
        """Read the index until installers can see everything, or ``patience`` seconds have passed."""
        patience = min(self.patience, self.clock.patience)
        ends = self.clock.now() + patience

        def report(_seen: SurfaceState | None) -> None:
            left = duration(max(ends - self.clock.now(), 0.0))
            announce(f"waiting until installers see every file on {self.index.name}, at most {left} more")

        state = poll(
            lambda: compare_index(manifest, self.index),
            until=lambda seen: seen.state in {State.COMPLETE, State.CONFLICTING},
            waits=growing(_SHORTEST, _LONGEST),
            clock=self.clock,
            deadline=patience,
            forgiven=(Unknown,),
            missed=report,
        )
        if state.state is State.CONFLICTING:
            raise Conflict(_describe_state(state), where=state.url, next_step=advice.FIND_WHO_UPLOADED())
        if state.state is State.INCOMPLETE:
            raise Incomplete(_describe_state(state), where=state.url)
        return state

    def _verify_forge(
        self, release: Release, dists: Dists, page: PublishedRelease, attached: Sequence[Asset]
    ) -> list[VerifiedItem]:
        """Compare every asset of the public release, and its marks."""
        forge_release = self.forge.public(release.tag)
        if forge_release is None:
            raise Incomplete(f"{release.tag} is not public", where=self.forge.address)
        latest = self.forge.latest() == release.tag
        if (forge_release.prerelease, latest) != (page.prerelease, page.latest):
            raise Incomplete(
                f"{release.tag} is marked prerelease={forge_release.prerelease} latest={latest},"
                f" but should be prerelease={page.prerelease} latest={page.latest}",
                where=forge_release.url,
            )
        held = [self._verify_file(forge_release, file) for file in dists.files]
        held.append(self._verify_sums(forge_release, dists))
        held.append(self._verify_manifest(forge_release, release, dists))
        return [*held, *(self._verify_file(forge_release, each) for each in attached)]

    def _verify_file(self, forge_release: ForgeRelease, file: File | Asset) -> VerifiedItem:
        seen = digest_of(_require_asset(forge_release, file.name), self.forge, file.sha256)
        if seen != file.sha256:
            raise Conflict(
                f"{file.name} on the release is sha256 {seen}, but {file.sha256} was"
                f" {'tested' if isinstance(file, File) else 'attached'}",
                where=forge_release.url,
                next_step=advice.FIND_WHO_CHANGED_RELEASE(),
            )
        return VerifiedItem(surface=FORGE, what=file.name, digest=seen)

    def _verify_sums(self, forge_release: ForgeRelease, dists: Dists) -> VerifiedItem:
        content = content_of(_require_asset(forge_release, SUMS), self.forge)
        if content != checksum_lines(dists.files):
            raise Conflict(
                f"{SUMS} on the release does not list what was tested: sha256 {sha256(content).hexdigest()},"
                f" expected {sha256(checksum_lines(dists.files)).hexdigest()}",
                where=forge_release.url,
                next_step=advice.FIND_WHO_CHANGED_RELEASE(),
            )
        return VerifiedItem(surface=FORGE, what=SUMS, digest=sha256(content).hexdigest())

    def _verify_manifest(self, forge_release: ForgeRelease, release: Release, dists: Dists) -> VerifiedItem:
        content = content_of(_require_asset(forge_release, manifests.NAME), self.forge)
        there = manifests.decode(content, where=forge_release.url)
        if not there.is_of(release) or set(there.artifacts) != set(Manifest.of(release, dists).artifacts):
            raise Conflict(
                f"{manifests.NAME} on the release is of {clean(there.tag)} at commit {clean(there.commit)}"
                f" and {len(there.artifacts)} files, not of what was tested: {release.tag} at {release.commit}",
                where=forge_release.url,
                next_step=advice.FIND_WHO_CHANGED_RELEASE(),
            )
        return VerifiedItem(surface=FORGE, what=manifests.NAME, digest=sha256(content).hexdigest())


def _require_asset(forge_release: ForgeRelease, name: str) -> ForgeAsset:
    asset = find_asset(forge_release, name)
    if asset is None or not asset.uploaded:
        raise Incomplete(f"the release lacks {name}", where=forge_release.url)
    return asset


def _verified_item(surface: str, item: Item) -> VerifiedItem:
    pending = item.note if item.state is State.PENDING else ""
    return VerifiedItem(surface=surface, what=item.name, digest=item.expected, pending=pending)


def _describe_state(state: SurfaceState) -> str:
    wrong = (item for item in state.items if item.state in {State.INCOMPLETE, State.CONFLICTING})
    return "; ".join(
        f"{item.name}: {item.note} (sha256 {item.seen or 'none'}, expected {item.expected or 'none'})" for item in wrong
    )
