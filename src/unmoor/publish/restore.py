"""Get the files of a release back from the surfaces that hold them, by the manifest that lists them."""

from __future__ import annotations

import secrets
from pathlib import Path

import msgspec

from unmoor import advice
from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.belief import HOW_TO_VOUCH, Belief
from unmoor.artifacts.files import copy_into, is_intact
from unmoor.artifacts.manifest import Manifest
from unmoor.artifacts.run_dir import IMAGES, RunFolder
from unmoor.core.stage import StageContext
from unmoor.errors import Conflict, Incomplete, Unknown
from unmoor.filesystem.files import sha256_of
from unmoor.filesystem.safe_folder import make_folder, remove, rename
from unmoor.ports.forge import Forge, ForgeRelease
from unmoor.ports.index import Index
from unmoor.products import Dists, File, Release
from unmoor.publish.file_comparison import Match
from unmoor.publish.index_state import compare_listed
from unmoor.publish.release_assets import attached_signature, content_of, find_asset


class ReleaseOnForge(msgspec.Struct, frozen=True, kw_only=True):
    """A release object with a manifest on it.

    ``vouched`` is false only for a public release, all files of which the index holds. ``record`` is the record of its
    images, if that counts as the manifest does.
    """

    forge_release: ForgeRelease
    manifest: Manifest
    data: bytes
    vouched: bool
    record: bytes | None = None


class Surfaces(msgspec.Struct, frozen=True, kw_only=True):
    """The surfaces that may already hold files of a release: the forge, the production index, the staging index."""

    forge: Forge | None
    index: Index | None
    staging: Index | None

    @property
    def _indexes(self) -> tuple[Index, ...]:
        return tuple(index for index in (self.index, self.staging) if index is not None)

    def find_release(self, release: Release, belief: Belief, context: StageContext) -> ReleaseOnForge | None:
        """Find a release object of the tag with a manifest that is vouched for, or a public one that is complete.

        Warns about manifests and records that nothing vouches for. Raises `Conflict`, and as `Belief.vouches_for` does.
        """
        if self.forge is None:
            return None
        for forge_release in self._find_releases(self.forge, release, context):
            # The manifest is attached last: a draft without it is incomplete, and nothing was sent elsewhere.
            data = _document(forge_release, manifests.NAME, self.forge)
            if data is None:
                continue
            record = _document(forge_release, IMAGES, self.forge)
            signature = attached_signature(forge_release, manifests.NAME, self.forge)
            if belief.vouches_for(data, signature):
                manifest = _require_manifest(data, forge_release, release)
                record = self._vouched_record(forge_release, record, belief, context)
                return ReleaseOnForge(
                    forge_release=forge_release, manifest=manifest, data=data, vouched=True, record=record
                )
            fault = belief.signature_fault(data, signature)
            found = self._find_published(forge_release, data, record, release)
            if found is not None:
                context.warn(f"the release at {forge_release.url} is not vouched for{_because(fault)}: {HOW_TO_VOUCH}")
                return found
            context.warn(_ignored(forge_release, data, fault))
        return None

    def _vouched_record(
        self, forge_release: ForgeRelease, record: bytes | None, belief: Belief, context: StageContext
    ) -> bytes | None:
        """The record of images if it counts. It is no part of the manifest, so it has a signature of its own."""
        if record is None or self.forge is None:
            return None
        signature = attached_signature(forge_release, IMAGES, self.forge)
        if belief.vouches_for(record, signature):
            return record
        fault = belief.signature_fault(record, signature)
        context.warn(f"{IMAGES} of {forge_release.url} is ignored: nothing vouches for it{_because(fault)}")
        return None

    def _find_published(
        self, forge_release: ForgeRelease, data: bytes, record: bytes | None, release: Release
    ) -> ReleaseOnForge | None:
        """A public release of this commit by a manifest that nothing vouches for, if the index holds all its files."""
        manifest = _try_decode(data)
        if forge_release.draft or self.index is None or manifest is None or not manifest.is_of(release):
            return None
        holding = self.index.holding(release.project, release.version)
        compared = [compare_listed(holding, each.name, each.sha256) for each in manifest.artifacts]
        if not compared or any(each.match is not Match.SAME for each in compared):
            return None
        return ReleaseOnForge(forge_release=forge_release, manifest=manifest, data=data, vouched=False, record=record)

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
            next_step=advice.DELETE_DRAFT() if forge_release.draft else advice.ATTACH_FILE(),
            retryable=forge_release.draft,
        )

    def fetch_all(
        self, manifest: Manifest, release: Release, forge_release: ForgeRelease | None, folder: RunFolder
    ) -> bool:
        """Fetch the files of a manifest into the run folder; those that are there are kept.

        Return ``False``, and change nothing, if one is absent. Raises what `fetch` raises.
        """
        folder.open()
        temporary = folder.path / f".dists-{secrets.token_hex(8)}"
        make_folder(temporary)
        try:
            for wanted in manifest.dists(folder.dists).files:
                if is_intact(wanted):
                    copy_into(wanted.path, temporary)
                elif not self.fetch(wanted, release, forge_release, temporary):
                    return False
            if forge_release is not None:
                folder.forget_build()
            remove(folder.dists)
            rename(temporary, folder.dists)
        finally:
            remove(temporary)
        return True


def _document(forge_release: ForgeRelease, name: str, forge: Forge) -> bytes | None:
    """Download a document that is attached to a release object; ``None`` if it is absent or incomplete."""
    asset = find_asset(forge_release, name)
    return content_of(asset, forge) if asset is not None and asset.uploaded else None


def _require_manifest(data: bytes, forge_release: ForgeRelease, release: Release) -> Manifest:
    """Decode a manifest that is vouched for. Raises `Conflict` if it is not of this release."""
    manifest = manifests.decode(data, where=forge_release.url)
    if not manifest.is_of(release):
        raise Conflict(
            f"the release at {forge_release.url} is {manifest.unlike(release)}",
            next_step=advice.DELETE_OTHER_DRAFT(),
        )
    require_current(manifest, forge_release.url)
    return manifest


def require_current(manifest: Manifest, where: str) -> None:
    """Raise `Conflict` if a former version of unmoor wrote a manifest: it is not frozen, so it cannot be continued."""
    if manifest.is_former:
        raise Conflict(
            "a former version of unmoor began this release", where=where, next_step=advice.USE_FORMER_VERSION()
        )


def _try_decode(data: bytes) -> Manifest | None:
    try:
        return manifests.decode(data, where="")
    except Unknown:
        return None


def _because(fault: str) -> str:
    return f"; its signature does not count: {fault}" if fault else ""


def _ignored(forge_release: ForgeRelease, data: bytes, fault: str) -> str:
    """Say that a manifest on the forge is ignored, and what to do if it should not be."""
    manifest = _try_decode(data)
    what = f"{'the draft' if forge_release.draft else 'the release'} at {forge_release.url} is ignored"
    if manifest is not None and manifest.is_former:
        return f"{what}: a former version of unmoor made it. {advice.USE_FORMER_VERSION()}"
    return f"{what}: nothing vouches for its manifest{_because(fault)}. To continue it, {HOW_TO_VOUCH}"


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
                next_step=advice.PUT_FILE_BACK(),
            )
    return tuple(absent)


def _require_same(fetched: File, wanted: File, where: str) -> None:
    """Raise `Conflict` if a fetched file is not the one in the manifest."""
    if (fetched.name, fetched.sha256) != (wanted.name, wanted.sha256):
        raise Conflict(
            f"{wanted.name} has sha256 {fetched.sha256}, but the manifest lists {wanted.sha256}",
            where=where,
            next_step=advice.DELETE_OTHER_DRAFT(),
        )
