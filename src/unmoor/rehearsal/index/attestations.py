"""Attestations of uploaded files (PEP 740): PyPI's checks, in its order and words, and what it serves of them.

Sources: ``warehouse/attestations/services.py``, and ``Attestation.verify`` of pypi-attestations, which knows only the
public instances of Sigstore and so cannot be called here.
"""

from __future__ import annotations

import functools
import importlib
import threading
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from unmoor.rehearsal.index.refusal import Refusal

if TYPE_CHECKING:
    from pypi_attestations import Attestation, Distribution, GitHubPublisher
    from sigstore.verify import Verifier
    from sigstore.verify.policy import VerificationPolicy

    from unmoor.rehearsal.index.trusted_publishing import Publisher

PROVENANCE = "application/vnd.pypi.integrity.v1+json"
OFFERS = (PROVENANCE, "application/json")


@functools.cache
def preload() -> None:
    """Begin to load what checks attestations, in a thread: it takes as long as a small release."""
    threading.Thread(target=importlib.import_module, args=("pypi_attestations",), daemon=True).start()


class _Invalid(Exception):
    """What is wrong with a file's attestations."""


class Attestations(msgspec.Struct, frozen=True, kw_only=True):
    """Checks attestations against the Sigstore instance of the world, whose client trust config ``trust`` returns."""

    trust: Callable[[], Path]
    _verifiers: list[Verifier] = msgspec.field(default_factory=list)

    def provenance(self, text: str, publisher: Publisher | None, *, name: str, sha256: str) -> bytes:
        """Check the form's field for a file, and return what the index serves for it. Raises `Refusal`."""
        try:
            return self._checked(text, publisher, name, sha256)
        except _Invalid as error:
            reason = f"Invalid attestations supplied during upload: {error}"
            raise Refusal(HTTPStatus.BAD_REQUEST, reason) from None

    def _checked(self, text: str, publisher: Publisher | None, name: str, sha256: str) -> bytes:
        from pypi_attestations import AttestationBundle, Distribution, GitHubPublisher, Provenance

        if publisher is None:
            raise _Invalid("Attestations are only supported when using Trusted Publishing")
        attestations = _read(text)
        identity = GitHubPublisher(
            repository=publisher.repository, workflow=publisher.workflow, environment=publisher.environment or None
        )
        distribution = Distribution(name=name, digest=sha256)
        seen: set[str] = set()
        for each in attestations:
            kind = self._verified(each, identity, distribution)
            if kind in seen:
                raise _Invalid(
                    f"Multiple attestations for the same file with the same predicate type ({kind}) are not supported"
                )
            seen.add(kind)
        bundle = AttestationBundle(publisher=identity, attestations=attestations)
        return Provenance(attestation_bundles=[bundle]).model_dump_json().encode()

    def _verified(self, attestation: Attestation, identity: GitHubPublisher, distribution: Distribution) -> str:
        """Return the predicate type of a valid attestation. Raises `_Invalid`."""
        from pypi_attestations import VerificationError

        policy = identity._as_policy()  # noqa: SLF001 - nothing public makes the policy of a publisher
        try:
            return verify(attestation, self._verifier(), policy, distribution)
        except VerificationError as error:
            raise _Invalid(f"Could not verify the uploaded artifact using the included attestation: {error}") from None
        except Exception as error:  # noqa: BLE001 - as PyPI does
            raise _Invalid(f"Unknown error while trying to verify included attestations: {error}") from None

    def _verifier(self) -> Verifier:
        from sigstore.models import ClientTrustConfig
        from sigstore.verify import Verifier

        if not self._verifiers:
            config = ClientTrustConfig.from_json(self.trust().read_text("utf-8"))
            self._verifiers.append(Verifier(trusted_root=config.trusted_root))
        return self._verifiers[0]


def _read(text: str) -> list[Attestation]:
    from pydantic import TypeAdapter, ValidationError
    from pypi_attestations import Attestation, AttestationType

    try:
        attestations = TypeAdapter(list[Attestation]).validate_json(text)
    except ValidationError as error:
        raise _Invalid(f"Malformed attestations: {error}") from None
    if not attestations:
        raise _Invalid("Malformed attestations: an empty attestation set is not permitted")
    if len(attestations) > len(AttestationType):
        raise _Invalid(f"A maximum of {len(AttestationType)} attestations per file are supported")
    return attestations


def verify(attestation: Attestation, verifier: Verifier, policy: VerificationPolicy, distribution: Distribution) -> str:
    """Do what ``Attestation.verify`` does, with a verifier of any instance. Return the predicate type.

    Raises what that raises. The tests compare the two.
    """
    import sigstore.errors
    from pydantic import ValidationError
    from pypi_attestations import AttestationType, VerificationError
    from pypi_attestations._impl import _check_dist_filename
    from sigstore.dsse import Envelope, _Statement

    try:
        kind, payload = verifier.verify_dsse(attestation.to_bundle(), policy)
    except sigstore.errors.VerificationError as error:
        raise VerificationError(str(error)) from error
    if kind != Envelope._TYPE:  # noqa: SLF001 - as pypi-attestations does
        raise VerificationError(f"expected JSON envelope, got {kind}")
    try:
        statement = _Statement.model_validate_json(payload)
    except ValidationError as error:
        raise VerificationError(f"invalid statement: {error}") from None
    if len(statement.subjects) != 1:
        raise VerificationError("too many subjects in statement (must be exactly one)")
    subject = statement.subjects[0]
    if not subject.name:
        raise VerificationError("invalid subject: missing name")
    try:
        named = _check_dist_filename(subject.name)
    except ValueError as error:
        raise VerificationError(f"invalid subject: {error}") from None
    if named != _check_dist_filename(distribution.name):
        raise VerificationError(f"subject does not match distribution name: {subject.name} != {distribution.name}")
    digests: dict[Any, str] = subject.digest.root
    if digests.get("sha256") != distribution.digest:
        raise VerificationError("subject does not match distribution digest")
    if statement.predicate_type not in {each.value for each in AttestationType}:
        raise VerificationError(f"unknown attestation type: {statement.predicate_type}")
    return statement.predicate_type
