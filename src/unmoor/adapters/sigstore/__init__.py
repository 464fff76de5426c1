"""Sigstore: signing with the identity of a workflow run, and checking such signatures.

All of the protocols is sigstore-python's, and the encoding for indexes is pypi-attestations'. This package adds what
they lack: limits in time and size, retries, and errors that say what to do. Nothing of them is imported before it is
needed, since sigstore takes 0.3 s. Begin with `signer`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import msgspec

from unmoor.adapters.http.session import BoundedSession
from unmoor.adapters.sigstore.signer import SigstoreSigner
from unmoor.adapters.sigstore.trust import Trust
from unmoor.adapters.sigstore.verifier import SigstoreVerifier
from unmoor.ports.clock import Clock
from unmoor.ports.world import SigningPlace

__all__ = ["Sigstore"]


class Sigstore(msgspec.Struct, frozen=True, kw_only=True):
    """One Sigstore instance: what signs with it, and what checks its signatures. They share one trust config."""

    signer: SigstoreSigner
    verifier: SigstoreVerifier

    @classmethod
    def at(cls, place: SigningPlace, http: BoundedSession, clock: Clock, environ: Mapping[str, str]) -> Self:
        """Return the instance of a world. Reads and sends nothing yet."""
        trust = Trust(path=place.trust, patience=clock.patience)
        verifier = SigstoreVerifier(trust=trust)
        signer = SigstoreSigner(place=place, trust=trust, verifier=verifier, http=http, clock=clock, environ=environ)
        return cls(signer=signer, verifier=verifier)
