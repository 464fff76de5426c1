"""Checks of signatures by sigstore-python, against one trust config.

What a bundle holds is read from inside sigstore, which has no public names for it.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from unmoor import advice
from unmoor.adapters.sigstore.identities import from_certificate
from unmoor.adapters.sigstore.reading import read_bundle, readable, sha256_hash
from unmoor.adapters.sigstore.trust import Trust
from unmoor.errors import BadSignature, Unknown
from unmoor.ports.signer import Bundle, VerifiedSignature
from unmoor.products import Subject
from unmoor.util.decode import decode_json
from unmoor.util.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.x509 import Certificate
    from sigstore.models import Bundle as SigstoreBundle
    from sigstore.verify import Verifier

_IN_TOTO = "application/vnd.in-toto+json"
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
    """

    trust: Trust
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _verifier: Verifier | None = field(default=None, repr=False)

    def statement(self, bundle: Bundle) -> VerifiedSignature:
        """Check the signature of a statement. Raises `BadSignature`, `Unknown`, `ConfigError`."""
        read, verifier = read_bundle(bundle), self._checks()
        if _signed_file(read) is not None:
            raise _wrong("it signs a file, and not a statement")
        kind, payload = _checked(lambda: verifier.verify_dsse(read, _Anybody()))
        if kind != _IN_TOTO:
            raise _wrong(f"it signs {clean(kind, 80)!r}, and not a statement")
        with readable("the signed statement"):
            document = decode_json(payload, dict[str, Any])
            subjects = tuple(_subject(each) for each in document["subject"])
            predicate_type, predicate = _text(document["predicateType"]), dict(document.get("predicate") or {})
        return _verified(read, subjects, predicate_type, predicate)

    def file(self, bundle: Bundle, sha256: str) -> VerifiedSignature:
        """Check the signature of a file. Raises `BadSignature`, `Unknown`, `ConfigError`."""
        read, verifier = read_bundle(bundle), self._checks()
        signed = _signed_file(read)
        if signed is None:
            raise _wrong("it signs a statement, and not a file")
        if signed.message_digest is not None and (other := signed.message_digest.digest.hex()) != sha256:
            raise _wrong(f"it is of a file with sha256 {other}, and this one has {sha256}")
        _checked(lambda: verifier.verify_artifact(sha256_hash(sha256), read, _Anybody()))
        return _verified(read, (Subject(name="", sha256=sha256),))

    def _checks(self) -> Verifier:
        from sigstore.verify import Verifier

        config = self.trust.config()
        with self._lock:
            if self._verifier is None:
                self._verifier = Verifier(trusted_root=config.trusted_root)
            return self._verifier


def _signed_file(bundle: SigstoreBundle) -> Any:
    """The signature of a file, ``None`` in a bundle of a statement."""
    return bundle._inner.message_signature  # noqa: SLF001


def _checked(check: Callable[[], T]) -> T:
    """Call sigstore's check. Raises `BadSignature` if it says no, `Unknown` if it cannot say."""
    from sigstore.errors import VerificationError

    try:
        with readable("the signature"):
            return check()
    except Unknown as error:
        if isinstance(error.__cause__, VerificationError):
            raise _wrong(clean(str(error.__cause__), _LONGEST)) from error.__cause__
        raise


def _wrong(why: str) -> BadSignature:
    return BadSignature(f"the signature does not verify: {why}", next_step=advice.REJECT_SIGNATURE())


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
