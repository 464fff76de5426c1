"""Get the files of a release back from the surfaces that hold them, by the manifest that lists them."""

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
    """The surfaces that may already hold files of a release: the forge, the production index, the staging index."""

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
        for forge_release in self._find_releases(self.forge, release, context):
            asset = find_asset(forge_release, manifests.NAME)
            # The manifest is attached last: a draft without it is incomplete, and nothing was sent elsewhere.
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

    def _find_releases(self, forge: Forge, release: Release, context: StageContext) -> tuple[ForgeRelease, ...]:
        """Every visible release object of the tag, public ones first."""
        drafts_error = None
        if forge.has_token():
            try:
                return tuple(sorted(forge.releases(release.tag), key=lambda forge_release: forge_release.draft))
            except Unknown as error:
                drafts_error = error
        public = forge.public(release.tag)
        if public is None and drafts_error is not None:
            context.warn(f"cannot read drafts, so no existing draft is used: {drafts_error}")
        return (public,) if public is not None else ()

    def fetch(self, wanted: File, release: Release, forge_release: ForgeRelease | None, into: Path) -> bool:
        """Fetch one file from the release object, else from an index.

        Return ``False`` if the file is absent and no release object lists it. Raises `Incomplete` if a release object
        lists a file that no surface holds, `Conflict` for other bytes, and `Unknown`.
        """
        asset = find_asset(forge_release, wanted.name) if forge_release is not None else None
        if asset is not None and forge_release is not None and asset.uploaded and self.forge is not None:
            _require_same(self.forge.fetch(asset, into), wanted, forge_release.url)
            return True
        for index in self._indexes:
            listed = index.holding(release.project, release.version).listed(wanted.name)
            if listed is not None:
                _require_same(index.fetch(listed, into), wanted, index.name)
                return True
        if forge_release is None:
            return False
        raise Incomplete(
            f"the release at {forge_release.url} lists {wanted.name} in its manifest, but does not hold it",
            next_step="delete the draft"
            if forge_release.draft
            else "attach the file with the sha256 in the manifest, or release the next version",
            retryable=forge_release.draft,
        )

    def require_equal(self, built: tuple[File, ...], release: Release, context: StageContext) -> None:
        """Compare files that were built again with those of the same name on each index. Raises `Conflict`.

        An index that cannot be read is only a warning: files are compared again before any is sent there.
        """
        for index in self._indexes:
            try:
                holding = index.holding(release.project, release.version)
            except Unknown as error:
                context.warn(f"cannot determine whether {index.name} holds files of this version: {error}")
                continue
            for file in built:
                listed = holding.listed(file.name)
                if listed is not None and listed.sha256 not in {None, file.sha256}:
                    raise Conflict(
                        f"{file.name} was built again with sha256 {file.sha256}, but {listed.sha256} is there",
                        where=index.name,
                        next_step="pass the files that were built first: --dists DIR;"
                        " if they are lost, release the next version",
                    )


def missing_files(dists: Dists) -> tuple[File, ...]:
    """Return the files that are not on disk. Raises `Conflict` if one holds other bytes."""
    absent = []
    for file in dists.files:
        try:
            digest = sha256_of(file.path)
        except FileNotFoundError:
            absent.append(file)
            continue
        if digest != file.sha256:
            raise Conflict(
                f"{file.name} has sha256 {digest}, but {file.sha256} was recorded when it was built",
                where=str(file.path),
                next_step="put that file back; or, if nothing of it is public, remove the folder and build again",
            )
    return tuple(absent)


def _require_same(fetched: File, wanted: File, where: str) -> None:
    """Raise `Conflict` if a fetched file is not the one in the manifest."""
    if (fetched.name, fetched.sha256) != (wanted.name, wanted.sha256):
        raise Conflict(
            f"{wanted.name} has sha256 {fetched.sha256}, but the manifest lists {wanted.sha256}",
            where=where,
            next_step="delete that draft if nothing of it is public, else release the next version",
        )
