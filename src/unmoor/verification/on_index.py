"""What an index serves of a version: the bytes, and the attestation of each file (PEP 740)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from packaging.version import Version

from unmoor import advice
from unmoor.errors import Unknown, UnmoorError
from unmoor.ports.index import AttestedBy, Holding, Index, ListedFile, Publisher
from unmoor.ports.signer import BundleVerifier, VerifiedSignature
from unmoor.products import Subject
from unmoor.provenance.statements import PROVENANCE, publish_type
from unmoor.util.text import clean, count_of
from unmoor.verification.bundles import statement_fault
from unmoor.verification.checks import CheckedItem, Mark
from unmoor.verification.downloads import Downloads
from unmoor.verification.lists import absent

_EARLIER = 3
# More than any index takes for one version, and attestations of one file.
_MOST_FILES = 2_000
_MOST_ATTESTATIONS = 32
Judge = Callable[[VerifiedSignature, Publisher], tuple[Mark, str]]
"""What compares who signed with who should have; see `unmoor.verification.signers`."""


@dataclass(kw_only=True)
class IndexFiles:
    """One version of one project on an index. Call `read`, then run the jobs of `downloads`, then `check`."""

    index: Index
    project: str
    version: str
    held: Downloads
    holding: Holding | None = None
    error: UnmoorError | None = None
    attested: dict[str, tuple[AttestedBy, ...]] = field(default_factory=dict)
    unread: dict[str, UnmoorError] = field(default_factory=dict)

    def read(self) -> None:
        """Read the list of files, or keep the error."""
        try:
            holding = self.index.holding(self.project, self.version)
            if len(holding.names) > _MOST_FILES:
                raise Unknown(
                    f"the index lists {len(holding.names)} files of this version",
                    next_step=advice.CHECK_WHAT_IS_SERVED(),
                    retryable=False,
                )
            self.holding = holding
        except UnmoorError as error:
            self.error = error

    def listed(self) -> Mapping[str, ListedFile]:
        """The files by name, with the address of the attestations of each if there is one."""
        if self.holding is None:
            return {}
        found = {name: self.holding.simple.get(name) or self.holding.listed(name) for name in self.holding.names}
        return {name: each for name, each in sorted(found.items()) if each is not None}

    def downloads(self, *, files: bool = True) -> list[Callable[[], None]]:
        """Return what reads the attestations, and then what downloads the files, side by side."""
        listed = self.listed()
        jobs: list[Callable[[], None]] = [partial(self._attestations, each) for each in listed.values()]
        if files:
            jobs += [
                partial(self.held.get, name, partial(self.index.fetch, each))
                for name, each in sorted(listed.items(), key=lambda pair: pair[1].size or 0)
            ]
        return jobs

    def _attestations(self, listed: ListedFile) -> None:
        try:
            self.attested[listed.name] = self.index.provenance(listed)
        except UnmoorError as error:
            self.unread[listed.name] = error

    def publishers(self) -> tuple[Publisher, ...]:
        """Whom the index calls the publishers of the files, each once."""
        return tuple(dict.fromkeys(each.publisher for found in self.attested.values() for each in found))

    def check(self, verifier: BundleVerifier, judge: Judge, expected: Mapping[str, str] | None) -> list[CheckedItem]:
        """Check every file and its attestation. ``expected`` are the digests by name, if a list has them."""
        surface = self.index.name
        if self.error is not None:
            return [CheckedItem.of_error(surface, f"{self.project} {self.version}", self.error)]
        listed = self.listed()
        checks: list[CheckedItem] = []
        for name in sorted({*listed, *(expected or {})}):
            checks.append(self._check_file(name, listed.get(name), expected))
            if name in listed:
                checks += self._check_attestations(name, verifier, judge)
        if not checks:
            note = "the index has no file of this version"
            checks.append(
                CheckedItem(surface=surface, name=f"{self.project} {self.version}", mark=Mark.MISSING, note=note)
            )
        return checks

    def _check_file(self, name: str, listed: ListedFile | None, expected: Mapping[str, str] | None) -> CheckedItem:
        surface = self.index.name
        if listed is None:
            return CheckedItem(surface=surface, name=clean(name), mark=Mark.MISSING, note="the index does not have it")
        if expected is not None and name not in expected:
            note = "no list of the release names this file"
            return CheckedItem(surface=surface, name=clean(name), mark=Mark.WRONG, note=note)
        file = self.held.files.get(name)
        if file is None:
            return absent(self.held, name, surface, "it was not downloaded")
        if expected is not None and file.sha256 != expected[name]:
            note = f"it has sha256 {file.sha256}, and the release says {clean(expected[name], 80)}"
            return CheckedItem(surface=surface, name=clean(name), mark=Mark.WRONG, note=note)
        says = "as on the release" if expected is not None else "as the index lists it"
        return CheckedItem(surface=surface, name=clean(name), mark=Mark.OK, note=f"sha256 {file.sha256}, {says}")

    def _check_attestations(self, name: str, verifier: BundleVerifier, judge: Judge) -> list[CheckedItem]:
        surface, title = self.index.name, f"attestation of {clean(name)}"
        if error := self.unread.get(name):
            return [CheckedItem.of_error(surface, title, error)]
        found = [(each.publisher, bundle) for each in self.attested.get(name, ()) for bundle in each.bundles]
        if not found:
            return [
                CheckedItem(surface=surface, name=title, mark=Mark.MISSING, note="the index has no attestation of it")
            ]
        if len(found) > _MOST_ATTESTATIONS:
            note = f"{len(found)} attestations, more than are checked"
            return [CheckedItem(surface=surface, name=title, mark=Mark.UNKNOWN, note=note)]
        file = self.held.files.get(name)
        if file is None:
            note = f"{count_of(len(found), 'attestation')}, of a file that could not be downloaded"
            return [CheckedItem(surface=surface, name=title, mark=Mark.UNKNOWN, note=note)]
        subject = Subject(name=name, sha256=file.sha256)
        return [self._check_one(title, subject, *each, verifier=verifier, judge=judge) for each in found]

    def _check_one(
        self,
        title: str,
        subject: Subject,
        publisher: Publisher,
        bundle: bytes,
        *,
        verifier: BundleVerifier,
        judge: Judge,
    ) -> CheckedItem:
        surface = self.index.name
        try:
            seen = verifier.statement(bundle)
        except UnmoorError as error:
            return CheckedItem.of_error(surface, title, error)
        fault = statement_fault(seen, [subject], kind="")
        if not fault and seen.predicate_type not in {publish_type(), PROVENANCE}:
            fault = f"it is of the type {clean(seen.predicate_type, 100)}"
        mark, note = (Mark.WRONG, fault) if fault else judge(seen, publisher)
        return CheckedItem(surface=surface, name=title, mark=mark, note=note)

    def earlier_attested(self) -> str:
        """The newest of the last few earlier versions that has attestations; empty if none has. Raises `Unknown`."""
        mine = Version(self.version)
        earlier = sorted((each for each in self.index.versions(self.project) if each < mine), reverse=True)
        for version in earlier[:_EARLIER]:
            holding = self.index.holding(self.project, str(version))
            if any(each.provenance for each in holding.simple.values()):
                return str(version)
        return ""
