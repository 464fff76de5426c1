"""The signatures on the release: each verifies, is of the right bytes, and was made by the release's workflow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from unmoor import advice
from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.manifest import Manifest
from unmoor.artifacts.run_dir import IMAGES
from unmoor.errors import Unknown, UnmoorError
from unmoor.ports.signer import BundleVerifier, VerifiedSignature
from unmoor.products import Subject
from unmoor.products.sboms import SUFFIX
from unmoor.provenance.names import bundle_name, is_bundle, provenance_name, signed_file
from unmoor.provenance.statements import CYCLONEDX, PROVENANCE, publish_type
from unmoor.publish.release_assets import SUMS
from unmoor.util.decode import decode_json
from unmoor.util.text import clean
from unmoor.verification.checks import CheckedItem, Mark
from unmoor.verification.downloads import Downloads
from unmoor.verification.lists import absent
from unmoor.verification.signers import Signers

HINTS = (b'"messageSignature"', b'"message_signature"')


@dataclass(frozen=True, kw_only=True)
class Bundles:
    """The signatures of one release. ``names`` are those of all its assets."""

    held: Downloads
    names: frozenset[str]
    manifest: Manifest
    verifier: BundleVerifier
    signers: Signers
    surface: str

    @property
    def expected(self) -> tuple[str, ...]:
        """The names of the signatures that a signed release has, the lists first: they decide who may sign."""
        files = [each.name for each in self.manifest.artifacts]
        whole = provenance_name(self.manifest.project, self.manifest.version)
        record = [IMAGES] if IMAGES in self.names else []
        described = {each.name for each in self.manifest.sboms}
        described |= {f"{name}{SUFFIX}" for name in files if f"{name}{SUFFIX}" in self.names}
        return (
            bundle_name(manifests.NAME),
            bundle_name(SUMS),
            *map(bundle_name, record),
            whole,
            *map(bundle_name, sorted(files)),
            *map(bundle_name, sorted(described)),
        )

    @property
    def is_unsigned(self) -> bool:
        """Whether there is no signature at all."""
        return not any(map(is_bundle, self.names))

    def check(self) -> list[CheckedItem]:
        """Check every signature. One that is expected and not there is missing."""
        others = sorted(name for name in self.names if is_bundle(name) and name not in self.expected)
        return [self._check(name) for name in (*self.expected, *others)]

    def _check(self, name: str) -> CheckedItem:
        """Check one signature by its name."""
        try:
            data = self.held.content(name)
            if data is None:
                return absent(self.held, name, self.surface, "a signed release has this signature")
            mark, note = self._judge(name, data)
        except UnmoorError as error:
            return CheckedItem.of_error(self.surface, name, error)
        return CheckedItem(surface=self.surface, name=clean(name), mark=mark, note=note)

    def _judge(self, name: str, data: bytes) -> tuple[Mark, str]:
        if name == provenance_name(self.manifest.project, self.manifest.version):
            return self._judged(self.verifier.statement(data), self._provenance_fault)
        file = signed_file(name)
        if file.endswith(SUFFIX):
            return self._judged(self.verifier.statement(data), lambda seen: self._bom_fault(file, seen))
        subject = self._subject(file)
        if subject is None:
            is_certain = name in self.expected and file not in self.held.errors
            return Mark.MISSING if is_certain else Mark.UNKNOWN, "the file that it is about is not on the release"
        if any(hint in data for hint in HINTS):
            return self._judged(self.verifier.file(data, subject.sha256), lambda _: "")
        kind = publish_type() if file in {each.name for each in self.manifest.artifacts} else ""
        return self._judged(self.verifier.statement(data), lambda seen: statement_fault(seen, [subject], kind=kind))

    def _judged(self, seen: VerifiedSignature, fault: Callable[[VerifiedSignature], str]) -> tuple[Mark, str]:
        if why := fault(seen):
            return Mark.WRONG, why
        return self.signers.judge(seen)

    def _subject(self, name: str) -> Subject | None:
        """A file by what was downloaded, else by what the manifest says."""
        if file := self.held.files.get(name):
            return Subject(name=name, sha256=file.sha256)
        return next(
            (Subject(name=name, sha256=each.sha256) for each in self.manifest.artifacts if each.name == name), None
        )

    def _provenance_fault(self, seen: VerifiedSignature) -> str:
        subjects = [Subject(name=each.name, sha256=each.sha256) for each in self.manifest.artifacts]
        if fault := statement_fault(seen, subjects, kind=PROVENANCE):
            return fault
        commits = commits_of(seen.predicate)
        expected = self.signers.source.commit
        if expected and expected not in commits:
            return f"it says that commit {clean(', '.join(commits), 100) or 'none'} was built, expected {expected}"
        return ""

    def _bom_fault(self, file: str, seen: VerifiedSignature) -> str:
        subject = self._subject(file.removesuffix(SUFFIX))
        if subject is None:
            return "it describes a file that is not on the release"
        if fault := statement_fault(seen, [subject], kind=CYCLONEDX):
            return fault
        data = self.held.content(file)
        if data is None:
            return f"{clean(file, 200)}, which it signs, is not on the release"
        try:
            same = decode_json(data, dict[str, Any]) == seen.predicate
        except ValueError:
            same = False
        return "" if same else f"{clean(file, 200)} is not what it signs"


def statement_fault(seen: VerifiedSignature, subjects: Iterable[Subject], *, kind: str) -> str:
    """What is wrong with a statement about these subjects; empty if nothing is. ``kind`` is empty for any type."""
    if kind and seen.predicate_type != kind:
        return f"it is of the type {clean(seen.predicate_type, 100)}, expected {kind}"
    wanted = {each.name: each.sha256 for each in subjects}
    found = {each.name: each.sha256 for each in seen.subjects}
    if found == wanted and len(seen.subjects) == len(wanted):
        return ""
    for name in sorted({*found, *wanted}):
        if name not in found:
            return f"it does not sign {clean(name, 200)}"
        if name not in wanted:
            return f"it signs {clean(name, 200)}, which is another file"
        if found[name] != wanted[name]:
            return f"it signs {clean(name, 200)} with sha256 {clean(found[name], 80)}, and here it has {wanted[name]}"
    return "it signs a file twice"


def commits_of(predicate: Mapping[str, Any]) -> tuple[str, ...]:
    """The commits among what a SLSA provenance (v1) says was used. Raises `Unknown` if it cannot be read."""
    match predicate:
        case {"buildDefinition": {"resolvedDependencies": list(used)}}:
            digests = [each.get("digest") for each in used if isinstance(each, dict)]
            return tuple(str(each["gitCommit"]) for each in digests if isinstance(each, dict) and "gitCommit" in each)
        case _:
            raise Unknown(
                "the provenance does not say what was built",
                next_step=advice.REJECT_SIGNATURE(),
                retryable=False,
            )
