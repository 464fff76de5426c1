"""The signatures that a release has already: on the release page, in the run folder, on an index, stored on the forge.

Wherever one comes from, it counts if it verifies, is of these bytes, and was made by this release's workflow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from unmoor import advice
from unmoor.artifacts.run_dir import RunFolder
from unmoor.errors import BadSignature, Unknown
from unmoor.ports.forge import Forge, ForgeRelease
from unmoor.ports.index import Index
from unmoor.ports.signer import MAX_BUNDLE, Bundle, BundleVerifier, Identity
from unmoor.products import Dists, Release
from unmoor.provenance.identity import WORKFLOWS, signed_by_release, workflow_path
from unmoor.provenance.names import bundle_name
from unmoor.provenance.statements import PROVENANCE
from unmoor.publish.release_assets import content_of, find_asset
from unmoor.publish.signatures import NeededSignature


class OnIndex(NamedTuple):
    """What an index has of a release: good signatures by name, and the files that it holds without one."""

    found: Mapping[str, Bundle]
    lacking: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ExistingSignatures:
    """Looks for the signatures of one release. Those that are good are kept in the run folder.

    ``there`` is the release of the tag on the forge, ``None`` if it has none. ``identity`` is who must have signed.
    """

    needed: tuple[NeededSignature, ...]
    release: Release
    verifier: BundleVerifier
    folder: RunFolder
    forge: Forge
    there: ForgeRelease | None
    warn: Callable[[str], None]

    def attached(self, name: str) -> Bundle | None:
        """The signature on the release, ``None`` if there is none. Not downloaded if the run folder has the same."""
        asset = find_asset(self.there, name) if self.there is not None else None
        if asset is None or not asset.uploaded:
            return None
        held = self.folder.read_signature(name)
        if held is not None and asset.sha256 == sha256(held).hexdigest():
            return held
        return content_of(asset, self.forge, limit=MAX_BUNDLE)

    def on_release_or_here(self, identity: Identity) -> dict[str, Bundle]:
        """The good ones by name: those on the release, else those in the run folder.

        Of a public release only its own count.
        """
        good: dict[str, Bundle] = {}
        for each in self.needed:
            held = self.folder.read_signature(each.name)
            local = held if self.there is None or self.there.draft else None
            for where, bundle in (("the release", self.attached(each.name)), ("the run folder", local)):
                if bundle is None or each.name in good or not self._is_good(each, bundle, where, identity):
                    continue
                good[each.name] = self._kept(each.name, bundle)
        return good

    def on_index(self, index: Index, dists: Dists, found: Mapping[str, Bundle], identity: Identity) -> OnIndex:
        """What an index has of the files: signatures that ``found`` lacks, and files without any.

        Raises `Denied`, and `Unknown`, also if the index does not show its installers every file yet.
        """
        holding = index.holding(self.release.project, self.release.version)
        good: dict[str, Bundle] = {}
        lacking: list[str] = []
        for file in dists.files:
            name, listed = bundle_name(file.name), holding.simple.get(file.name)
            if listed is None and file.name in holding.names:
                what = f"{index.name} does not say yet whether {file.name} has an attestation"
                raise Unknown(what, where=index.name, next_step=advice.WAIT_FOR_INDEX())
            if listed is None or listed.sha256 != file.sha256:
                continue  # another stage compares the bytes
            if not listed.provenance:
                lacking.append(file.name)
            elif name not in found:
                bundle = self._first_good(name, index.attestations(listed), index.name, identity)
                if bundle is None:
                    lacking.append(file.name)
                else:
                    good[name] = bundle
        return OnIndex(good, tuple(lacking))

    def on_forge(self, identity: Identity) -> Bundle | None:
        """The provenance that is stored on the forge, ``None`` if it is not. Raises `Denied`, `Unknown`."""
        each = next(one for one in self.needed if one.predicate_type == PROVENANCE)
        stored = self.forge.attestations(each.subjects[0].sha256, PROVENANCE)
        # Others may be there: files that another workflow built have the same bytes if the build is reproducible.
        return next((bundle for bundle in stored if not self._fault(each, bundle, identity)), None)

    def signer(self, repository_id: str, workflow: str) -> Identity | None:
        """Who signed, for a run that has no identity itself: a workflow of this repository, for this tag and commit.

        ``workflow`` is the path of the only one that counts, empty if the settings name none. ``None`` if no signature
        says so.
        """
        for each in self.needed:
            for bundle in (self.attached(each.name), self.folder.read_signature(each.name)):
                try:
                    verified = each.verified(bundle, self.verifier) if bundle is not None else None
                except (BadSignature, Unknown):
                    continue
                if verified is None:
                    continue
                path = workflow_path(verified.identity)
                wanted = workflow or path
                differs = signed_by_release(verified, self.release, repository_id=repository_id, workflow=wanted)
                if path.startswith(WORKFLOWS) and not differs:
                    return verified.identity
        return None

    def _first_good(self, name: str, bundles: Iterable[Bundle], where: str, identity: Identity) -> Bundle | None:
        each = next(one for one in self.needed if one.name == name)
        faults = []
        for bundle in bundles:
            if not (fault := self._fault(each, bundle, identity)):
                return self._kept(name, bundle)
            faults.append(fault)
        if faults:
            self.warn(f"{name} in {where} does not count: {'; '.join(faults)}")
        return None

    def _is_good(self, each: NeededSignature, bundle: Bundle, where: str, identity: Identity) -> bool:
        if fault := self._fault(each, bundle, identity):
            self.warn(f"{each.name} in {where} does not count: {fault}")
        return not fault

    def _fault(self, each: NeededSignature, bundle: Bundle, identity: Identity) -> str:
        try:
            return each.fault(bundle, self.verifier, self.release, identity)
        except Unknown as error:
            return error.what

    def _kept(self, name: str, bundle: Bundle) -> Bundle:
        if bundle != self.folder.read_signature(name):
            self.folder.write_signature(name, bundle)
        return bundle
