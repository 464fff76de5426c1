"""What is believed: the one place that answers whether the sha256 of a document is vouched for.

A document is a manifest, an image record or a proof. Where it is and who put it there prove nothing: only what
vouches for its sha256 does: this account, the user, or a signature of the release workflow. See
``docs/concepts/trust.md``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from unmoor import advice
from unmoor.errors import ConfigError, Denied, Refused, Unknown
from unmoor.ports.signer import Bundle, UnreadableSignature

OPTION = "--manifest-sha256"
VARIABLE = "UNMOOR_MANIFEST_SHA256"
_DIGEST = re.compile(r"[0-9A-Fa-f]{64}")
HOW_TO_VOUCH = advice.PASS_SHA256_OF_MANIFEST()
"""What to do if the right document is there, but nothing vouches for it."""

ReadSignature = Callable[[], Bundle | None]
"""Reads the signature that is beside a document, ``None`` if there is none. Called only if it could decide.

Raises `UnreadableSignature` if there is one that is too large, and `Unknown`.
"""


class Notebook(Protocol):
    """What remembers which documents this account wrote."""

    def remembers(self, digest: str) -> bool:
        """Whether this account wrote the document with this sha256."""

    def remember(self, digest: str, *, document: str) -> None:
        """Note the sha256 of a document that this account writes, by the document's name."""


class SignatureJudge(Protocol):
    """What tells whether the release workflow signed a document for this release."""

    def fault(self, data: bytes, bundle: Bundle) -> str:
        """Why a signature of these bytes does not count; empty if it does.

        Raises `UnreadableSignature`, and `Unknown`, `Denied` or `ConfigError` if that cannot be found out.
        """


@dataclass
class ThisProcess:
    """Remembers in memory only, in addition to what ``noted`` remembers already."""

    digests: set[str] = field(default_factory=set)
    noted: Notebook | None = None

    def remembers(self, digest: str) -> bool:
        """Whether this process wrote the document with this sha256, or it was noted before."""
        return digest in self.digests or (self.noted is not None and self.noted.remembers(digest))

    def remember(self, digest: str, *, document: str) -> None:
        """Note the sha256 of a document; its name does not matter."""
        del document
        self.digests.add(digest)


@dataclass(frozen=True, kw_only=True)
class Belief:
    """Which documents count in this run.

    ``given`` are the digests that the user gave, in lower-case hexadecimal. ``signatures`` judges signatures; with
    ``None`` no document counts for its signature.
    """

    given: frozenset[str] = frozenset()
    notebook: Notebook = field(default_factory=ThisProcess)
    signatures: SignatureJudge | None = None
    _matched: set[str] = field(default_factory=set, repr=False, compare=False)
    _judged: dict[tuple[str, str], str] = field(default_factory=dict, repr=False, compare=False)

    def vouches_for(self, data: bytes, signature: ReadSignature | None = None) -> bool:
        """Whether a document with these bytes counts.

        It does if the user gave its sha256, if this account wrote it, or if the release workflow signed it. The first
        two need no look at the signature. Raises `Unknown`, `Denied` or `ConfigError` if only the signature could
        decide, and whether it counts cannot be found out: that is not the same as a signature that does not count.
        """
        digest = hashlib.sha256(data).hexdigest()
        if digest in self.given:
            self._matched.add(digest)
            return True
        return self.notebook.remembers(digest) or self._judge(data, signature) == ""

    def signature_fault(self, data: bytes, signature: ReadSignature | None) -> str:
        """Why the signature of a document does not count; empty if it does, or if there is none.

        Raises as `vouches_for` does.
        """
        return self._judge(data, signature) or ""

    def assess(self, data: bytes, signature: ReadSignature | None) -> tuple[bool, str]:
        """Whether a document counts, and what to say about its signature if it does not; for what only looks.

        Raises nothing: what cannot be judged does not count, and the reason says so.
        """
        try:
            if self.vouches_for(data, signature):
                return True, ""
            fault = self.signature_fault(data, signature)
        except (ConfigError, Denied, Unknown) as error:
            return False, f"whether its signature counts is unknown: {error.in_brief(where=True)}"
        return False, f"its signature does not count: {fault}" if fault else ""

    def _judge(self, data: bytes, signature: ReadSignature | None) -> str | None:
        """Why a signature does not count; ``None`` if there is none. Each pair of bytes is judged once."""
        if self.signatures is None or signature is None:
            return None
        try:
            bundle = signature()
            if bundle is None:
                return None
            pair = (hashlib.sha256(data).hexdigest(), hashlib.sha256(bundle).hexdigest())
            if pair not in self._judged:
                self._judged[pair] = self.signatures.fault(data, bundle)
            return self._judged[pair]
        except UnreadableSignature as error:
            return error.what
        except (ConfigError, Denied, Unknown) as error:
            raise error.amended(
                also="so whether the signature of a document counts is not known",
                next_step=error.next_step.then(advice.VOUCH_WITHOUT_SIGNATURE()),
            ) from error

    def remember(self, data: bytes, *, document: str) -> None:
        """Note that this account writes a document with these bytes. Call it before the document is written."""
        self.notebook.remember(hashlib.sha256(data).hexdigest(), document=document)

    def unmatched(self) -> tuple[str, ...]:
        """The given digests that no document had so far, sorted."""
        return tuple(sorted(self.given - self._matched))

    def require_matched(self, where: str) -> None:
        """Raise `Refused` if a given digest belongs to no document that was found."""
        if unmatched := self.unmatched():
            raise Refused(
                f"no document has the sha256 {', '.join(unmatched)}, which {OPTION} or {VARIABLE} gives",
                where=where,
                next_step=advice.CORRECT_SHA256(),
            )


def read_digest(text: str) -> str:
    """Return a sha256 in lower case. Raises `ValueError` for anything but 64 hexadecimal digits, also for none."""
    if _DIGEST.fullmatch(text) is None:
        what = "an empty value" if not text.strip() else repr(text[:80])
        raise ValueError(f"{what} is not a sha256 (64 hexadecimal digits)")
    return text.lower()


def require_vouched(belief: Belief, data: bytes, *, where: str, signature: ReadSignature | None = None) -> None:
    """Raise `Refused` if a document that was handed over is not vouched for. Raises as `Belief.vouches_for` does."""
    if not belief.vouches_for(data, signature):
        fault = belief.signature_fault(data, signature)
        raise Refused(
            "nothing vouches for this document, so nothing in it counts"
            + (f"; its signature does not count: {fault}" if fault else ""),
            where=where,
            next_step=advice.PASS_SHA256_OF_DOCUMENT(),
        )
