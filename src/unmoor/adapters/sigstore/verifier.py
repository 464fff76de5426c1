"""Checks of signatures by sigstore-python, against one trust config.

What a bundle holds is read from inside sigstore, which has no public names for it.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from unmoor import advice
from unmoor.adapters.sigstore.identities import from_certificate
from unmoor.adapters.sigstore.reading import IN_TOTO, read_bundle, readable, sha256_hash, wrong
from unmoor.adapters.sigstore.trust import TrustedRoots
from unmoor.errors import BadSignature, Unknown
from unmoor.ports.signer import Bundle, ForgeStatement, VerifiedSignature
from unmoor.products import Subject
from unmoor.util.decode import decode_json
from unmoor.util.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.x509 import Certificate
    from sigstore.models import Bundle as SigstoreBundle
    from sigstore.verify import Verifier

_LONGEST = 300
T = TypeVar("T")


class _Anybody:
    """A policy that any signer satisfies: what decides compares identities. sigstore's own one logs a warning."""

    def verify(self, cert: Certificate) -> None:
        """Accept the certificate."""


@dataclass(kw_only=True)
class SigstoreVerifier:
    """Checks bundles. The identity that signed is returned, not judged. Safe to share between threads.

    A bundle with a certificate of another instance is wrong, not unknown: nothing says that its keys can be trusted.
    ``forge_trust`` has the keys that sign what a forge says itself, if ``trust`` has not.
    """

    trust: TrustedRoots
    forge_trust: TrustedRoots | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _verifiers: list[Verifier] = field(default_factory=list, repr=False)

    def statement(self, bundle: Bundle) -> VerifiedSignature:
        """Check the signature of a statement. Raises `BadSignature`, `Unknown`, `ConfigError`."""
        read = read_bundle(bundle)
        if _signed_file(read) is not None:
            raise wrong("it signs a file, and not a statement")
        kind, payload = self._checked(lambda verifier: verifier.verify_dsse(read, _Anybody()))
        if kind != IN_TOTO:
            raise wrong(f"it signs {clean(kind, 80)!r}, and not a statement")
        with readable("the signed statement"):
            document = decode_json(payload, dict[str, Any])
            subjects = tuple(_subject(each) for each in document["subject"])
            predicate_type, predicate = _text(document["predicateType"]), dict(document.get("predicate") or {})
        return _verified(read, subjects, predicate_type, predicate)

    def file(self, bundle: Bundle, sha256: str) -> VerifiedSignature:
        """Check the signature of a file. Raises `BadSignature`, `Unknown`, `ConfigError`."""
        read = read_bundle(bundle)
        signed = _signed_file(read)
        if signed is None:
            raise wrong("it signs a statement, and not a file")
        if signed.message_digest is not None and (other := signed.message_digest.digest.hex()) != sha256:
            raise wrong(f"it is of a file with sha256 {other}, and this one has {sha256}")
        self._checked(lambda verifier: verifier.verify_artifact(sha256_hash(sha256), read, _Anybody()))
        return _verified(read, (Subject(name="", sha256=sha256),))

    def forge_statement(self, bundle: Bundle) -> ForgeStatement:
        """Check a forge's own statement; see the port. Raises `BadSignature`, `Unknown`, `ConfigError`."""
        from unmoor.adapters.sigstore.time_stamped import forge_statement

        return forge_statement(bundle, (self.forge_trust or self.trust).roots())

    def _checked(self, check: Callable[[Verifier], T]) -> T:
        """Call sigstore's check with each trusted root until one says yes.

        Raises `BadSignature` if the first says no, `Unknown` if it cannot say or no root has the keys of a log.
        """
        from sigstore.errors import VerificationError

        refused: BadSignature | None = None
        for verifier in self._checks():
            try:
                with readable("the signature"):
                    return check(verifier)
            except Unknown as error:
                if not isinstance(error.__cause__, VerificationError):
                    raise
                refused = refused or wrong(clean(str(error.__cause__), _LONGEST))
                refused.__cause__ = error.__cause__
        if refused is None:
            raise Unknown(
                "no trusted root has the keys of a log", next_step=advice.CHECK_TRUSTED_ROOT(), retryable=False
            )
        raise refused

    def _checks(self) -> list[Verifier]:
        from sigstore.verify import Verifier

        roots = self.trust.roots()
        with self._lock:
            if not self._verifiers:
                # sigstore refuses a root without a log, such as that of a forge's own statements.
                self._verifiers = [Verifier(trusted_root=root) for root in roots if root._inner.tlogs]  # noqa: SLF001
            return self._verifiers


def _signed_file(bundle: SigstoreBundle) -> Any:
    """The signature of a file, ``None`` in a bundle of a statement."""
    return bundle._inner.message_signature  # noqa: SLF001


def _verified(
    bundle: SigstoreBundle,
    subjects: tuple[Subject, ...],
    predicate_type: str = "",
    predicate: dict[str, Any] | None = None,
) -> VerifiedSignature:
    with readable("the certificate"):
        entry = bundle.log_entry._inner  # noqa: SLF001
        return VerifiedSignature(
            identity=from_certificate(bundle.signing_certificate),
            subjects=subjects,
            log_index=entry.log_index,
            time=entry.integrated_time if entry.inclusion_promise and entry.integrated_time else 0,
            predicate_type=predicate_type,
            predicate=predicate or {},
        )


def _subject(value: Any) -> Subject:
    """Read a subject. Its name is optional in in-toto, but other digests than sha256 are none of ours."""
    digests = value["digest"]
    if "sha256" not in digests:
        msg = "a subject has no sha256"
        raise ValueError(msg)
    return Subject(name=_text(value.get("name", "")), sha256=_text(digests["sha256"]).lower())


def _text(value: object) -> str:
    if not isinstance(value, str):
        msg = f"{value!r} is not a text"
        raise TypeError(msg)
    return value
