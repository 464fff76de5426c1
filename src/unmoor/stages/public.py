"""The stage ``public``: before a deployment on its own, the release is public, and its manifest is vouched for."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from unmoor import advice
from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.belief import Belief
from unmoor.core.stage import Check, Output, StageContext
from unmoor.errors import Conflict, Incomplete
from unmoor.ports.forge import Forge
from unmoor.ports.git import Git
from unmoor.ports.services import Services
from unmoor.products import Release, Verified, VerifiedItem
from unmoor.publish.compare import FORGE
from unmoor.publish.release_assets import attached_signature, content_of, find_asset
from unmoor.publish.tag_recheck import verify_tag_unmoved
from unmoor.release_request import ReleaseRequest
from unmoor.util.text import clean


@dataclass(frozen=True, kw_only=True)
class FindPublic(Check[Verified]):
    """Reads the public release of the tag: what `unmoor deploy` begins with, in place of a whole release.

    ``command`` is the one that makes the release public.
    """

    name: str = "public"
    release: Output[Release]
    forge: Forge
    git: Git
    belief: Belief
    command: str

    @classmethod
    def of(cls, request: ReleaseRequest, services: Services, *, release: Output[Release]) -> Self:
        """Build the stage for a request."""
        return cls(
            release=release,
            forge=services.forge,
            git=services.git,
            belief=request.folder.belief,
            command=request.command,
        )

    def plan(self) -> str:
        """Say what would be read."""
        return f"read the manifest of the public release at {self.forge.address}, and the tag again"

    def make(self, context: StageContext) -> Verified:
        """Read the manifest. Raises `Incomplete` if it is not public, and `Conflict` if nothing vouches for it.

        Raises `Refused` if the tag no longer names the commit that was released.
        """
        release = context[self.release]
        there = self.forge.public(release.tag)
        asset = find_asset(there, manifests.NAME) if there is not None else None
        if there is None or asset is None or not asset.uploaded:
            raise Incomplete(
                f"{clean(release.tag)} is not public"
                if there is None
                else f"the release of {clean(release.tag)} has no manifest",
                where=self.forge.address,
                next_step=advice.RELEASE_IT(command=self.command),
                retryable=False,
            )
        data = content_of(asset, self.forge)
        vouched, doubt = self.belief.assess(data, attached_signature(there, manifests.NAME, self.forge))
        if not vouched:
            raise Conflict(
                f"nothing is deployed: nothing vouches for the manifest of {clean(release.tag)}"
                f"{f', since {clean(doubt)}' if doubt else ''}",
                where=there.url,
                next_step=advice.PASS_SHA256_OF_MANIFEST(),
            )
        manifest = manifests.decode(data, where=there.url)
        if not manifest.is_of(release):
            raise Conflict(
                f"{manifests.NAME} on the release is of {clean(manifest.tag)} at commit {clean(manifest.commit)},"
                f" and the tag names commit {release.commit}",
                where=there.url,
                next_step=advice.FIND_WHO_CHANGED_RELEASE(),
            )
        verify_tag_unmoved(self.git, release)
        item = VerifiedItem(surface=FORGE, what=manifests.NAME, digest=sha256(data).hexdigest())
        return Verified(held=(item,))
