"""The stage ``sign-sums``: sign SHA256SUMS with the key in ``sign-with``, for people who know that key.

It runs beside the stage ``sign``, before the draft is made: nothing can be attached to an immutable release.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from unmoor import advice
from unmoor.artifacts.files import checksum_lines
from unmoor.artifacts.run_dir import RunFolder
from unmoor.core.stage import Output, Push, StageContext, Undone, without_none
from unmoor.errors import BadSignature
from unmoor.ports.forge import Forge, ForgeRelease
from unmoor.ports.git import Git
from unmoor.ports.key_signer import KeySigner
from unmoor.ports.services import Services
from unmoor.products import Dists, File, Release, SumsSignature
from unmoor.publish.gates import Gates, ImageOutputs
from unmoor.publish.release_assets import SUMS, content_of, find_asset
from unmoor.publish.tag_recheck import verify_tag_unmoved
from unmoor.release_request import ReleaseRequest

_LIMIT = 100_000
"""The longest signature that is read, in bytes."""


@dataclass(frozen=True, kw_only=True)
class SignSums(Push[SumsSignature]):
    """Signs the list of checksums, unless a good signature by this key is on the release or in the run folder."""

    name: str = "sign-sums"
    release: Output[Release]
    dists: Output[Dists]
    signer: KeySigner
    forge: Forge
    git: Git
    folder: RunFolder

    @classmethod
    def of(
        cls,
        request: ReleaseRequest,
        services: Services,
        *,
        signer: KeySigner,
        release: Output[Release],
        dists: Output[Dists],
        images: ImageOutputs,
        gates: Gates,
    ) -> Self:
        """Build the stage for a request. Nothing is signed before everything has passed its tests."""
        return cls(
            release=release,
            dists=dists,
            signer=signer,
            forge=services.forge,
            git=services.git,
            folder=request.folder,
            after=without_none(*gates.outputs, *images),
        )

    def plan(self) -> str:
        """Say what would be signed."""
        return f"sign {SUMS} with {self.signer.key}, as {SUMS}{self.signer.suffix}"

    def find(self, context: StageContext) -> SumsSignature | None:
        """Return the signature if there is a good one: two signatures of one text differ, so it is never made again.

        A public release without one stays so. Raises `Denied` if the key is missing, and `Unknown`.
        """
        there = self._release_on_forge(context)
        for where, signature in (("the release", self._attached(there)), ("the run folder", self._kept(there))):
            if signature is None:
                continue
            fault = self.signer.fault(self._text(context), signature)
            if not fault:
                if signature != self.folder.read_signature(self._asset):
                    self.folder.write_signature(self._asset, signature)
                return self._product(signature)
            context.warn(f"{self._asset} in {where} does not count: {fault}")
        if there is not None and not there.draft:
            return SumsSignature(key=self.signer.key, why_not=f"the release is public without a good {self._asset}")
        return None

    def make(self, context: StageContext) -> SumsSignature:
        """Sign, after a look at the tag, and verify the signature. Raises as `KeySigner.sign` does."""
        verify_tag_unmoved(self.git, context[self.release])
        text = self._text(context)
        signature = self.signer.sign(text)
        if fault := self.signer.fault(text, signature):
            raise BadSignature(f"{self._asset}: {fault}", next_step=advice.CHECK_SIGNING_KEY(key=self.signer.key))
        self.folder.write_signature(self._asset, signature)
        return self._product(signature)

    def undo(self, product: SumsSignature) -> Undone:
        """Nothing was sent: the signature is an asset of the draft."""
        del product
        return Undone(f"{self._asset} goes with the draft")

    @property
    def _asset(self) -> str:
        return f"{SUMS}{self.signer.suffix}"

    def _text(self, context: StageContext) -> bytes:
        return checksum_lines(context[self.dists].files)

    def _release_on_forge(self, context: StageContext) -> ForgeRelease | None:
        """The release of the tag that holds files: the public one, or the draft to continue with."""
        found = sorted(self.forge.releases(context[self.release].tag), key=lambda each: (each.draft, each.id))
        return next((each for each in found if not each.draft or each.assets), None)

    def _attached(self, there: ForgeRelease | None) -> bytes | None:
        asset = find_asset(there, self._asset) if there is not None else None
        return content_of(asset, self.forge, limit=_LIMIT) if asset is not None and asset.uploaded else None

    def _kept(self, there: ForgeRelease | None) -> bytes | None:
        """The signature in the run folder. Of a public release only its own counts."""
        return self.folder.read_signature(self._asset) if there is None or there.draft else None

    def _product(self, signature: bytes) -> SumsSignature:
        path = self.folder.signatures / self._asset
        file = File(name=self._asset, sha256=sha256(signature).hexdigest(), size=len(signature), path=path)
        return SumsSignature(key=self.signer.key, file=file)
