"""Which signatures a release has: of each file and its bill of materials, of the provenance, and of the two lists.

The signature of a file is a publish attestation (PEP 740), so that it serves the release on the forge and the indexes.
The lists are signed as files, which any tool for Sigstore checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import msgspec

from unmoor import advice
from unmoor.artifacts import manifest as manifests
from unmoor.artifacts.files import checksum_lines
from unmoor.artifacts.run_dir import IMAGES
from unmoor.errors import BadSignature, Conflict, Denied, Unknown
from unmoor.ports.index import Credential, Index
from unmoor.ports.signer import Bundle, BundleVerifier, Identity, Signer, VerifiedSignature
from unmoor.products import Dists, File, Provenance, Release, Sboms, Signed, Subject
from unmoor.provenance.identity import signed_by_release, workflow_path
from unmoor.provenance.names import bundle_name, provenance_name
from unmoor.provenance.statements import (
    CYCLONEDX,
    PROVENANCE,
    made_by,
    publish_statement,
    publish_type,
    sbom_statement,
    subjects_of,
)
from unmoor.publish.documents import Documents
from unmoor.publish.release_assets import SUMS
from unmoor.util.decode import decode_json

PUBLIC = "public"
"""The visibility of a repository whose name may appear in a public log."""


class NeededSignature(msgspec.Struct, frozen=True, kw_only=True):
    """One signature that a release should have: its name, and what it signs.

    ``subjects`` are those of a ``statement`` with ``predicate_type``; without one, the signature is of the file with
    ``sha256``. ``sbom`` is the bill of materials that the statement holds.
    """

    name: str
    subjects: tuple[Subject, ...] = ()
    predicate_type: str = ""
    statement: bytes = b""
    sha256: str = ""
    sbom: Mapping[str, Any] | None = None

    def sign(self, signer: Signer, identity: Identity) -> Bundle:
        """Sign it. Provenance names the run of ``identity``. Raises as `unmoor.ports.signer.Signer` does."""
        if not self.predicate_type:
            return signer.sign_file(self.sha256)
        is_provenance = self.predicate_type == PROVENANCE
        return signer.sign_statement(made_by(self.statement, identity) if is_provenance else self.statement)

    def verified(self, bundle: Bundle, verifier: BundleVerifier) -> VerifiedSignature:
        """Check the signature, and return what it says. Raises `BadSignature`, `Unknown`."""
        return verifier.statement(bundle) if self.predicate_type else verifier.file(bundle, self.sha256)

    def fault(self, bundle: Bundle, verifier: BundleVerifier, release: Release, identity: Identity) -> str:
        """What is wrong with a signature; empty if it is of these bytes, by this release's workflow. Raises `Unknown`.

        ``identity`` is that of this run: whose repository and workflow count.
        """
        try:
            verified = self.verified(bundle, verifier)
        except BadSignature as error:
            return error.what
        if self.predicate_type and verified.predicate_type != self.predicate_type:
            return f"it is of the type {verified.predicate_type}, and not {self.predicate_type}"
        if self.predicate_type and set(verified.subjects) != set(self.subjects):
            return "it signs other files"
        if self.sbom is not None and verified.predicate != self.sbom:
            return "it holds another SBOM"
        return signed_by_release(
            verified, release, repository_id=identity.repository_id, workflow=workflow_path(identity)
        )


def needed_signatures(
    release: Release, dists: Dists, provenance: Provenance, documents: Documents, sboms: Sboms | None = None
) -> tuple[NeededSignature, ...]:
    """Every signature of a release, sorted by name. None of them is listed in a signed list.

    Raises `Conflict` if the provenance is of other files, and `Unknown` for a bill of materials that cannot be read.
    """
    subjects = tuple(Subject(name=file.name, sha256=file.sha256) for file in dists.files)
    if set(provenance.subjects) != set(subjects) or set(subjects_of(provenance.statement)) != set(subjects):
        raise Conflict("the provenance is of other files than the release", next_step=advice.REMOVE_RUN_FOLDER())
    each = [
        NeededSignature(
            name=bundle_name(subject.name),
            subjects=(subject,),
            predicate_type=publish_type(),
            statement=publish_statement(subject),
        )
        for subject in subjects
    ]
    whole = NeededSignature(
        name=provenance_name(release.project, release.version),
        subjects=subjects,
        predicate_type=PROVENANCE,
        statement=provenance.statement,
    )
    described = [
        _of_sbom(subject, sbom)
        for subject in subjects
        if sboms is not None and (sbom := sboms.of_file(subject.name)) is not None
    ]
    texts = {SUMS: checksum_lines(dists.files), manifests.NAME: documents.manifest_data}
    if documents.record is not None:
        texts[IMAGES] = documents.record_data
    lists = [NeededSignature(name=bundle_name(name), sha256=sha256(data).hexdigest()) for name, data in texts.items()]
    return tuple(sorted((*each, *described, whole, *lists), key=lambda one: one.name))


def _of_sbom(subject: Subject, sbom: File) -> NeededSignature:
    """The signature of what a bill of materials says about a file. Raises `Unknown` if it cannot be read."""
    content = sbom_content(sbom)
    return NeededSignature(
        name=bundle_name(sbom.name),
        subjects=(subject,),
        predicate_type=CYCLONEDX,
        statement=sbom_statement(subject, content),
        sbom=content,
    )


def sbom_content(sbom: File) -> dict[str, Any]:
    """What a bill of materials says, as JSON values. Raises `Unknown` if it cannot be read."""
    try:
        return decode_json(sbom.path.read_bytes(), dict[str, Any])
    except (OSError, ValueError) as error:
        raise Unknown(f"{sbom.name} cannot be read: {error}", where=str(sbom.path)) from error


def why_unsigned(identity: Identity, release: Release, *, required: bool) -> str:
    """Why a run with this identity signs nothing; empty if it signs. Raises `Denied` if signatures are required."""
    if identity.visibility != PUBLIC and not required:
        kind = identity.visibility or "perhaps private"
        return (
            f'{identity.repository} is {kind}, and the public log would name it; attestations = "required" allows that'
        )
    ref = f"refs/tags/{release.tag}"
    if (identity.ref, identity.commit) == (ref, release.commit):
        return ""
    why = f"this run is of {identity.ref} at {identity.commit}, and not of {ref} at {release.commit}"
    if required:
        raise Denied(f"the signatures would not name this release: {why}", next_step=advice.RUN_ON_TAG())
    return why


def no_identity(credential: Credential) -> Denied:
    """The error for a run whose signatures are required, and which cannot make any."""
    what = f'attestations = "required", but nothing can be signed: {credential.origin}'
    return Denied(what, next_step=credential.remedy)


def why_withheld(identity: Identity) -> str:
    """Why an index would refuse the signatures of a run; empty if it would not.

    A certificate names the workflow that a run began with, and the index compares the one that holds the job.
    Source: PyPI's ``attestations`` service, and its issue 17312.
    """
    if identity.caller and identity.caller != identity.workflow:
        return f"the job is in a reusable workflow, {identity.workflow}, and the run began with {identity.caller}"
    return ""


def signatures_for(index: Index, signed: Signed, dists: Dists) -> Mapping[str, bytes]:
    """The signatures to send to an index, by the name of the file; none if it would refuse them.

    Raises `Denied` if it would and they are required: an index takes no signature of a file that it has.
    """
    why = signed.withheld or index.why_no_attestations()
    made = {file.name: signed.named(bundle_name(file.name)) for file in dists.files}
    found = {name: bundle for name, bundle in made.items() if bundle is not None and not why}
    if signed.required and len(found) < len(made):
        raise Denied(
            f"{index.name} would get files without attestations, which are required: {why or signed.why_not}",
            next_step=advice.PUBLISH_BY_TRUSTED_PUBLISHING(index=index.name),
        )
    return {name: bundle.path.read_bytes() for name, bundle in found.items()}
