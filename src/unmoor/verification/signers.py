"""Who may have signed what a release consists of."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import msgspec

from unmoor.ports.index import Publisher
from unmoor.ports.signer import Identity, VerifiedSignature
from unmoor.products import Release
from unmoor.provenance.identity import ISSUER, WORKFLOWS, signed_by_release, workflow_path
from unmoor.util.text import clean
from unmoor.verification.checks import Mark

_TAGS = "refs/tags/"
GITHUB = "GitHub"
"""The kind of publisher whose certificates are compared."""


class ReleaseSource(msgspec.Struct, frozen=True, kw_only=True):
    """The repository and the tag that a release claims to be of, as the forge has them. What is unknown is empty.

    ``repository_id`` is the number of the repository, ``tag`` has no ``refs/tags/``.
    """

    repository: str
    repository_id: str = ""
    tag: str = ""
    commit: str = ""

    @property
    def release(self) -> Release:
        """The release, as far as it is compared with certificates."""
        return Release(
            repository=self.repository,
            project="",
            tag=self.tag,
            version="",
            commit=self.commit,
            date=0,
            prerelease=False,
            highest=False,
        )

    @property
    def unknown(self) -> str:
        """What is not known, so that no signature can pass; empty if everything is."""
        missing = [
            what
            for what, value in (("the number of the repository", self.repository_id), ("the tag's commit", self.commit))
            if not value
        ]
        return " and ".join(missing)


@dataclass(kw_only=True)
class Signers:
    """Judges who signed: the release workflow of the repository, at the tag and its commit.

    ``identity`` is what the user expects: ``owner/name``, or a workflow as ``owner/name/.github/workflows/FILE``.
    Without a workflow, any one of the repository itself may have signed, and the same one everything. Safe to share
    between threads.
    """

    source: ReleaseSource
    identity: str = ""
    workflow: str = field(default="", init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def judge(self, verified: VerifiedSignature) -> tuple[Mark, str]:
        """Compare who signed with the source. Return the result, and what it is based on."""
        signer = verified.identity
        if fault := self._unexpected(signer):
            return Mark.WRONG, fault
        if unknown := self.source.unknown:
            return Mark.UNKNOWN, f"the signature verifies, but {unknown} could not be read"
        workflow = workflow_path(signer)
        fault = signed_by_release(
            verified, self.source.release, repository_id=self.source.repository_id, workflow=self._chosen(workflow)
        )
        return (Mark.WRONG, fault) if fault else (Mark.OK, f"signed by {_whole_name(signer)}{_run(signer)}")

    def _chosen(self, workflow: str) -> str:
        """The workflow that signs everything: the first one that was judged."""
        with self._lock:
            self.workflow = self.workflow or workflow
            return self.workflow

    def _unexpected(self, signer: Identity) -> str:
        """Why this is not the expected identity, without looking at the repository's number."""
        workflow = workflow_path(signer)
        if self.identity and ((fault := _unexpected(signer, self.identity)) or self.identity.count("/") > 1):
            return fault
        if not workflow.startswith(WORKFLOWS):
            who = clean(signer.workflow, 200) or "somebody who is no workflow"
            return f"signed by {who}, which is not a workflow of the repository; if that is right, add --identity"
        return ""


def _whole_name(signer: Identity) -> str:
    """The workflow with its repository: ``owner/name/.github/workflows/FILE``."""
    path = workflow_path(signer)
    return clean(f"{signer.repository}/{path}" if path.startswith(WORKFLOWS) else path, 300)


def _unlike(signer: Identity, identity: str) -> str:
    """Compare the whole name of a workflow."""
    named = _whole_name(signer)
    return "" if named == identity else f"signed by {clean(named, 200) or 'no workflow'}, expected {identity}"


def judge_publisher(
    verified: VerifiedSignature, publisher: Publisher, source: ReleaseSource, identity: str
) -> tuple[Mark, str]:
    """Compare who signed a file of another tool's release with the publisher that the index names.

    Such a release may be of any ref. If it is of a tag, the forge's tag must name the same commit.
    """
    signer = verified.identity
    if publisher.kind != GITHUB:
        kind = clean(publisher.kind, 40) or "an unknown service"
        return Mark.UNKNOWN, f"the signature verifies, but certificates of publishers on {kind} are not compared"
    if identity and (fault := _unexpected(signer, identity)):
        return Mark.WRONG, fault
    path = f"{WORKFLOWS}{publisher.workflow}"
    compared = [
        ("issuer", signer.issuer, ISSUER),
        ("repository", signer.repository.lower(), publisher.repository.lower()),
        ("workflow", workflow_path(signer), path),
    ]
    if source.repository_id:
        compared.append(("repository number", signer.repository_id, source.repository_id))
    if source.commit:
        compared += [("ref", signer.ref, f"{_TAGS}{source.tag}"), ("commit", signer.commit, source.commit)]
    faults = [
        f"the {what} is {clean(found, 200) or 'missing'}, expected {clean(expected, 200)}"
        for what, found, expected in compared
        if found != expected
    ]
    if faults:
        return Mark.WRONG, "; ".join(faults)
    if not source.repository_id or (signer.ref.startswith(_TAGS) and not source.commit):
        return Mark.UNKNOWN, f"the signature verifies, but {source.unknown} could not be read"
    where = "" if source.commit else f" on {clean(signer.ref, 100)}"
    return Mark.OK, f"signed by {_whole_name(signer)}{where}{_run(signer)}"


def _unexpected(signer: Identity, identity: str) -> str:
    if identity.count("/") > 1:
        return _unlike(signer, identity)
    named = clean(signer.repository, 150) or "no repository"
    return "" if signer.repository == identity else f"signed for {named}, expected {identity}"


def _run(signer: Identity) -> str:
    return f" in {clean(signer.run, 200)}" if signer.run else ""
