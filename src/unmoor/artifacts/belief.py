"""What is believed: the one place that answers whether the sha256 of a document is vouched for.

A document is a manifest, an image record or a proof. Where it is and who put it there prove nothing: only what
vouches for its sha256 does. See ``docs/concepts/trust.md``.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import Protocol

from unmoor import advice
from unmoor.errors import Refused

OPTION = "--manifest-sha256"
VARIABLE = "UNMOOR_MANIFEST_SHA256"
_DIGEST = re.compile(r"[0-9A-Fa-f]{64}")
HOW_TO_VOUCH = advice.PASS_SHA256_OF_MANIFEST()
"""What to do if the right document is there, but nothing vouches for it."""


class Notebook(Protocol):
    """What remembers which documents this account wrote."""

    def remembers(self, digest: str) -> bool:
        """Whether this account wrote the document with this sha256."""

    def remember(self, digest: str, *, document: str) -> None:
        """Note the sha256 of a document that this account writes, by the document's name."""


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

    ``given`` are the digests that the user gave, in lower-case hexadecimal. A signature of the release workflow will be
    a third reason to believe a document; it belongs into `vouches_for`.
    """

    given: frozenset[str] = frozenset()
    notebook: Notebook = field(default_factory=ThisProcess)
    _matched: set[str] = field(default_factory=set, repr=False, compare=False)

    def vouches_for(self, data: bytes) -> bool:
        """Whether a document with these bytes counts: the user gave its sha256, or this account wrote it."""
        digest = hashlib.sha256(data).hexdigest()
        if digest in self.given:
            self._matched.add(digest)
            return True
        return self.notebook.remembers(digest)

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


def require_vouched(belief: Belief, data: bytes, *, where: str) -> None:
    """Raise `Refused` if a document that was handed over is not vouched for."""
    if not belief.vouches_for(data):
        raise Refused(
            "nothing vouches for this document, so nothing in it counts",
            where=where,
            next_step=advice.PASS_SHA256_OF_DOCUMENT(),
        )
