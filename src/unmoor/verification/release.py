"""Verify a release: the forge, the index and the registries side by side. Begin with `Verification`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import msgspec

from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.manifest import Manifest
from unmoor.config.addresses import REPOSITORY
from unmoor.errors import UnmoorError
from unmoor.ports.forge import Forge
from unmoor.ports.index import Index, Publisher
from unmoor.ports.registry import Registry
from unmoor.ports.signer import StrangersVerifier, VerifiedSignature
from unmoor.products.signatures import BY_HAND
from unmoor.publish.emergencies import is_record
from unmoor.publish.release_assets import SUMS
from unmoor.util.text import clean
from unmoor.verification.asked import is_safe_tag, repository_in
from unmoor.verification.bundles import Bundles
from unmoor.verification.checks import CheckedItem, Mark, worst
from unmoor.verification.downloads import Downloads, run_jobs
from unmoor.verification.immutable import check_forge_statement
from unmoor.verification.lists import check_files, check_sums, read_manifest
from unmoor.verification.on_forge import ForgeFiles
from unmoor.verification.on_index import IndexFiles
from unmoor.verification.on_registry import RegistryImages
from unmoor.verification.signers import GITHUB, ReleaseSource, Signers, judge_publisher

_TAGS = "refs/tags/"


class VerificationResult(msgspec.Struct, frozen=True, kw_only=True):
    """What was verified, every check, and remarks. ``workflow`` signed it, empty if nothing that counts did.

    ``earlier`` is an earlier release that was signed, if this one is not.
    """

    source: ReleaseSource
    project: str
    version: str
    checks: tuple[CheckedItem, ...]
    notes: tuple[str, ...]
    workflow: str = ""
    earlier: str = ""

    @property
    def answer(self) -> Mark:
        """The worst result."""
        return worst(self.checks)


@dataclass(kw_only=True)
class Verification:
    """What verifies, and the surfaces that it reads. ``forge`` and ``registry`` open a repository by its name.

    ``surface`` is the name of the forge in tables, ``site`` the root of its web pages.
    """

    forge: Callable[[str], Forge]
    index: Index
    registry: Callable[[str], Registry]
    verifier: StrangersVerifier
    folder: Path
    surface: str
    site: str
    identity: str = ""
    _checks: list[CheckedItem] = field(default_factory=list, init=False)
    _notes: list[str] = field(default_factory=list, init=False)
    _earlier: str = field(default="", init=False)

    def tag(self, repository: str, tag: str) -> VerificationResult:
        """Verify the release of a tag on every surface."""
        there = self._open(repository, tag)
        there.read()
        if there.release is None:
            if not there.checks:
                note = f"{repository} has no public release of this tag"
                there.checks.append(CheckedItem(surface=self.surface, name=tag, mark=Mark.MISSING, note=note))
            self._checks += there.checks
            return self._verdict(there, "", "", "")
        project, version = there.guess
        found = self._on_index(project, version) if project else None
        run_jobs([*there.documents(), *([found.read] if found else [])])
        return self._whole(there, found)

    def package(self, project: str, version: str) -> VerificationResult:
        """Verify a version of a package, beginning with the index: who released it, and from where, is not known."""
        found = self._on_index(project, version)
        found.read()
        run_jobs(found.downloads(files=False))
        repository = self._repository_of(found)
        there: ForgeFiles | None = None
        tags = self._tags_of(found) if repository else []
        for tag in tags:
            there = self._open(repository, tag)
            there.read()
            if there.release is not None or not there.source.repository_id:
                break
        if there is not None and there.is_ours:
            run_jobs(there.documents())
            return self._whole(there, found)
        run_jobs(found.downloads())
        source = there.source if there is not None else ReleaseSource(repository="")
        self._checks += self._by_publisher(found, source)
        if there is None:
            self._notes.append("neither the attestations nor the metadata name a repository on the forge")
        else:
            # Of a tag that is only guessed, nothing is missing.
            certain = {Mark.UNKNOWN, Mark.MISSING} if len(tags) == 1 else {Mark.UNKNOWN}
            self._checks += [each for each in there.checks if each.mark in certain]
            self._notes.append(f"not released by unmoor: checked is what {self.index.name} has")
        return self._verdict(there, project, version, "")

    def _open(self, repository: str, tag: str) -> ForgeFiles:
        held = Downloads(folder=self.folder / "forge")
        return ForgeFiles(forge=self.forge(repository), repository=repository, tag=tag, held=held, surface=self.surface)

    def _on_index(self, project: str, version: str) -> IndexFiles:
        held = Downloads(folder=self.folder / "index")
        return IndexFiles(index=self.index, project=project, version=version, held=held)

    def _whole(self, there: ForgeFiles, found: IndexFiles | None) -> VerificationResult:
        """Verify a release of which the documents are here, and the list of the index."""
        manifest, read = read_manifest(there.held, there.source, self.surface)
        if manifest is not None and (found is None or not _is_of(found, manifest)):
            found = self._on_index(manifest.project, manifest.version)
            found.read()
        run_jobs([*there.files(), *(found.downloads() if found else [])])
        sums, listed = check_sums(there.held, manifest, self.surface)
        lists: dict[str, Mapping[str, str]] = {SUMS: sums} if sums else {}
        listed_files = {each.name: each.sha256 for each in manifest.artifacts} if manifest is not None else {}
        if manifest is not None:
            lists[manifests.NAME] = listed_files | {
                each.name: each.sha256 for each in (*manifest.sboms, *manifest.docs)
            }
        files = check_files(there.held, lists, self.surface, foreign=there.foreign(manifest))
        signers = Signers(source=there.source, identity=self.identity)
        self._checks += [*there.checks, read, listed, *files]
        signed = self._signatures(there, manifest, signers)
        self._statement(there)
        if found is not None and manifest is not None:
            self._checks += found.check(self.verifier, lambda seen, _: signers.judge(seen), listed_files)
        elif found is not None:
            self._checks += self._by_publisher(found, there.source)
        self._images(there, signers, signed=signed)
        self._emergencies(there, manifest)
        if note := there.unchecked():
            self._notes.append(note)
        project, version = (manifest.project, manifest.version) if manifest else there.guess
        return self._verdict(there, project, version, signers.workflow)

    def _emergencies(self, there: ForgeFiles, manifest: Manifest | None) -> None:
        """Say in which emergencies the release was made. It is no fault of the files."""
        if manifest is not None and manifest.emergency is not None:
            self._notes.append(manifest.emergency.summary)
            self._notes += [f"waived: {each}" for each in manifest.emergency.results]
        names = sorted(filter(is_record, there.names))
        self._notes += [f"the asset {name} records an emergency after the manifest was complete" for name in names]

    def _signatures(self, there: ForgeFiles, manifest: Manifest | None, signers: Signers) -> bool:
        """Check the signatures among the assets. Return whether there are any."""
        if manifest is None:
            return False
        bundles = Bundles(
            held=there.held,
            names=there.names,
            manifest=manifest,
            verifier=self.verifier,
            signers=signers,
            surface=self.surface,
        )
        if not bundles.is_unsigned:
            self._checks += bundles.check()
            return True
        by_hand = any(BY_HAND in each for each in manifest.decisions)
        note = BY_HAND if by_hand else "nothing on the release is signed"
        self._unsigned(self.surface, note, there.earlier_signed)
        return False

    def _unsigned(self, surface: str, note: str, earlier: Callable[[], str]) -> None:
        """Add the check of what is not signed, and say whether earlier releases were."""
        try:
            self._earlier = self._earlier or earlier()
        except UnmoorError as error:
            self._notes.append(f"whether earlier releases are signed could not be read: {clean(error.what, 200)}")
        self._checks.append(CheckedItem(surface=surface, name="signatures", mark=Mark.MISSING, note=note))

    def _statement(self, there: ForgeFiles) -> None:
        """Check what the forge attests itself of an immutable release."""
        if there.release is not None and there.release.immutable and there.tagged is not None:
            self._checks.append(
                check_forge_statement(
                    there.release,
                    there.tagged,
                    there.held,
                    source=there.source,
                    forge=there.forge,
                    verifier=self.verifier,
                    surface=self.surface,
                )
            )

    def _images(self, there: ForgeFiles, signers: Signers, *, signed: bool) -> None:
        images, check = there.images()
        self._checks += [check] if check else []
        registries = RegistryImages(registry=self.registry, verifier=self.verifier, signers=signers, signed=signed)
        results: dict[int, list[CheckedItem]] = {}

        def look(number: int) -> None:
            results[number] = registries.check(images[number])

        run_jobs([partial(look, number) for number in range(len(images))])
        self._checks += [check for number in sorted(results) for check in results[number]]

    def _by_publisher(self, found: IndexFiles, source: ReleaseSource) -> list[CheckedItem]:
        """Check the files of another tool's release by what the index says of them."""

        def judge(seen: VerifiedSignature, publisher: Publisher) -> tuple[Mark, str]:
            return judge_publisher(seen, publisher, source, self.identity)

        checks = found.check(self.verifier, judge, None)
        if found.listed() and not found.publishers() and not found.unread:
            self._unsigned(self.index.name, "no file has an attestation", found.earlier_attested)
        return checks

    def _repository_of(self, found: IndexFiles) -> str:
        """The repository that a version claims to be of: by its publisher, else by the addresses that it gives."""
        for publisher in found.publishers():
            if publisher.kind == GITHUB and re.fullmatch(REPOSITORY, publisher.repository):
                return publisher.repository
        try:
            links = self.index.links(found.project, found.version)
        except UnmoorError as error:
            self._checks.append(CheckedItem.of_error(self.index.name, "metadata", error))
            return ""
        named = [each for url in links.values() if (each := repository_in(url, self.site))]
        return named[0] if named else ""

    def _tags_of(self, found: IndexFiles) -> list[str]:
        """The tags that a version may be of: that of a certificate, else the usual names."""
        refs = []
        for attested in found.attested.values():
            for bundle in (bundle for each in attested for bundle in each.bundles):
                try:
                    refs.append(self.verifier.statement(bundle).identity.ref)
                except UnmoorError:
                    continue
        for ref in dict.fromkeys(refs):
            if ref.startswith(_TAGS) and is_safe_tag(ref.removeprefix(_TAGS)):
                return [ref.removeprefix(_TAGS)]
        if refs:
            return [""]
        version, project = found.version, found.project
        return [f"v{version}", version, f"{project}-v{version}", f"{project}-{version}", f"{project}/v{version}"]

    def _verdict(self, there: ForgeFiles | None, project: str, version: str, workflow: str) -> VerificationResult:
        return VerificationResult(
            source=there.source if there is not None else ReleaseSource(repository=""),
            project=project,
            version=version,
            checks=tuple(self._checks),
            notes=tuple(self._notes),
            workflow=workflow,
            earlier=self._earlier,
        )


def _is_of(found: IndexFiles, manifest: Manifest) -> bool:
    from packaging.utils import canonicalize_name
    from packaging.version import Version

    return canonicalize_name(found.project) == canonicalize_name(manifest.project) and Version(
        found.version
    ) == Version(manifest.version)
