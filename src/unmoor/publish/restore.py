"""The files of a release, regained from where they went: by a manifest that names them, never without one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.manifest import Manifest
from unmoor.core.stage import StageContext
from unmoor.errors import Conflict, Incomplete, Unknown
from unmoor.ports.forge import Forge, ForgeRelease
from unmoor.ports.index import Index
from unmoor.products import Dists, File, Release
from unmoor.publish.release_assets import content_of, find_asset
from unmoor.util.files import sha256_of


@dataclass(frozen=True, kw_only=True)
class Surfaces:
    """Where files of a release may lie already: the forge, the production index, the staging index."""

    forge: Forge | None
    index: Index | None
    staging: Index | None

    @property
    def _indexes(self) -> tuple[Index, ...]:
        return tuple(index for index in (self.index, self.staging) if index is not None)

    def forge_release(self, release: Release, context: StageContext) -> tuple[ForgeRelease, Manifest] | None:
        """Find a release object of the tag with a manifest on it. Raises `Conflict`, `Unknown`."""
        if self.forge is None:
            return None
        for forge_release in self._postings(self.forge, release, context):
            asset = find_asset(forge_release, manifests.NAME)
            # The manifest is attached last: without it a draft was never complete, and nothing went further.
            if asset is None or not asset.uploaded:
                continue
            manifest = manifests.decode(content_of(asset, self.forge), where=asset.url)
            if not manifest.is_of(release):
                raise Conflict(
                    f"the release at {forge_release.url} is {manifest.unlike(release)}",
                    next_step="delete that draft if nothing of it is public, else release the next version",
                )
            return forge_release, manifest
        return None

    def _postings(self, forge: Forge, release: Release, context: StageContext) -> tuple[ForgeRelease, ...]:
        """Every release object of the tag that can be seen, public ones first."""
        unseen = None
        if forge.has_token():
            try:
                return tuple(sorted(forge.releases(release.tag), key=lambda forge_release: forge_release.draft))
            except Unknown as error:
                unseen = error
        public = forge.public(release.tag)
        if public is None and unseen is not None:
            context.warn(f"drafts cannot be seen, so none is taken up: {unseen}")
        return (public,) if public is not None else ()

    def fetch(self, wanted: File, release: Release, forge_release: ForgeRelease | None, into: Path) -> bool:
        """Fetch one file from the release object, else from an index; false where no manifest there is broken by it.

        Raises `Incomplete` where a release object names a file that is nowhere, `Conflict` for other bytes, `Unknown`.
        """
        asset = find_asset(forge_release, wanted.name) if forge_release is not None else None
        if asset is not None and forge_release is not None and asset.uploaded and self.forge is not None:
            _same(self.forge.fetch(asset, into), wanted, forge_release.url)
            return True
        for index in self._indexes:
            listed = index.holding(release.project, release.version).listed(wanted.name)
            if listed is not None:
                _same(index.fetch(listed, into), wanted, index.name)
                return True
        if forge_release is None:
            return False
        raise Incomplete(
            f"the release at {forge_release.url} names {wanted.name} in its manifest, and does not hold it",
            next_step="delete the draft"
            if forge_release.draft
            else "attach the file, by the sha256 in the manifest, or release the next version",
            retryable=forge_release.draft,
        )

    def require_equal(self, built: tuple[File, ...], release: Release, context: StageContext) -> None:
        """Compare files that were built anew with those of the same name on an index. Raises `Conflict`.

        An index that cannot be read is a warning: nothing is sent there before it was compared.
        """
        for index in self._indexes:
            try:
                holding = index.holding(release.project, release.version)
            except Unknown as error:
                context.warn(f"it cannot be told whether {index.name} holds files of this version: {error}")
                continue
            for file in built:
                listed = holding.listed(file.name)
                if listed is not None and listed.sha256 not in {None, file.sha256}:
                    raise Conflict(
                        f"{file.name} was built again with the sha256 {file.sha256}, and {listed.sha256} is there",
                        where=index.name,
                        next_step="hand over the files that were built first: --dists DIR;"
                        " if they are lost, release the next version",
                    )


def missing(dists: Dists) -> tuple[File, ...]:
    """Name the files that are gone. Raises `Conflict` for one that is there with other bytes."""
    gone = []
    for file in dists.files:
        try:
            digest = sha256_of(file.path)
        except FileNotFoundError:
            gone.append(file)
            continue
        if digest != file.sha256:
            raise Conflict(
                f"{file.name} has the sha256 {digest}, and {file.sha256} was recorded when it was built",
                where=str(file.path),
                next_step="put that file back; or, if nothing of it is public, remove the folder and build again",
            )
    return tuple(gone)


def _same(fetched: File, wanted: File, where: str) -> None:
    """Raise `Conflict` where a fetched file is not the one that the manifest names."""
    if (fetched.name, fetched.sha256) != (wanted.name, wanted.sha256):
        raise Conflict(
            f"{wanted.name} has the sha256 {fetched.sha256}, and the manifest beside it says {wanted.sha256}",
            where=where,
            next_step="delete that draft if nothing of it is public, else release the next version",
        )
