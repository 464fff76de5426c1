"""Signatures of the workflow that makes a release, by Sigstore: making them, and checking them.

A signature is a Sigstore bundle: JSON with the signature, the certificate, and the entry in the public log. The
certificate is valid for minutes and names a workflow run instead of a person, so nobody keeps a key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from unmoor.errors import Unknown
from unmoor.ports.index import Credential
from unmoor.products import Subject

Bundle = bytes
"""A Sigstore bundle, version 0.3, as JSON. At most `MAX_BUNDLE` bytes."""
MAX_BUNDLE = 8_000_000
"""The largest bundle that is read, in bytes."""
SUFFIX = ".sigstore.json"
"""The end of the name of every Sigstore bundle; what is before it names the file that was signed."""
SIDE_BY_SIDE = 16
"""How many signatures one `Signer` makes at a time."""


class UnreadableSignature(Unknown):
    """Bytes that are no signature that can be read: asking again gives no other answer."""


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who signs: one run of a workflow, as the claims of its ID token or as a certificate name it.

    ``repository`` is ``owner/name``; ``repository_id`` and ``owner_id`` are the numbers that a new repository of the
    same name does not get. ``workflow`` is the file that holds the job,
    ``https://github.com/acme/demo/.github/workflows/release.yml@refs/tags/v1``; ``caller`` is the one that the run
    began with, which differs if ``workflow`` is reusable. ``commit`` and ``ref`` are those of the run, ``run`` is its
    web address, ``event`` what started it, ``visibility`` that of the repository: ``public``, ``private`` or
    ``internal``, ``runner`` where it runs: ``github-hosted`` or ``self-hosted``. What is unknown is empty.

    ``issuer`` is not compared: it gave the token, and the certificate names the one that Fulcio knows it as.
    """

    repository: str
    repository_id: str
    owner_id: str
    workflow: str
    caller: str
    commit: str
    ref: str
    run: str
    event: str
    visibility: str
    runner: str = ""
    issuer: str = field(compare=False)


class VerifiedSignature(msgspec.Struct, frozen=True, kw_only=True):
    """What a signature says that verifies: who made it, about what, and when the log recorded it.

    ``predicate_type`` and ``predicate`` are those of an in-toto statement, empty for the signature of a file, whose
    subject has no name. ``time`` is in seconds since 1970.
    """

    identity: Identity
    subjects: tuple[Subject, ...]
    log_index: int
    time: int
    predicate_type: str = ""
    predicate: Mapping[str, Any] = msgspec.field(default_factory=dict)


class ForgeStatement(msgspec.Struct, frozen=True, kw_only=True):
    """What a forge itself says of an immutable release, signed by it: the digests of each subject by its name or URI.

    ``time`` is when a trusted clock saw the signature, in seconds since 1970.
    """

    subjects: tuple[tuple[str, Mapping[str, str]], ...]
    time: int
    predicate_type: str
    predicate: Mapping[str, Any] = msgspec.field(default_factory=dict)


class Signer(Protocol):
    """Signs as the workflow run that this process belongs to. Safe to share between threads.

    All signatures share one key and its certificate, which are renewed before they expire and stored nowhere. At most
    `SIDE_BY_SIDE` are made at a time. Each signature is a new one, also of the same bytes.

    What signs raises `Denied` if this process has no identity or the identity is refused, `Rejected` if the
    certificate authority or the log refuses the request, `TryLater` if one asks to wait for too long, and `Unknown` if
    one does not answer properly.
    """

    def credential(self) -> Credential:
        """Say whether this process has an identity, and from where. Sends nothing."""

    def identity(self) -> Identity:
        """Get a new ID token, and return what it says. Raises `Denied` if there is none, and `Unknown`."""

    def sign_statement(self, statement: bytes) -> Bundle:
        """Sign an in-toto statement, which is JSON, in a DSSE envelope."""

    def sign_file(self, sha256: str) -> Bundle:
        """Sign a file, given by its sha256 in hex."""


class BundleVerifier(Protocol):
    """Checks signatures without a connection, against one trust root. It does not judge *who* signed.

    Raises `BadSignature` if the signature is wrong, `UnreadableSignature` if the bundle cannot be read, and `Unknown`
    or `ConfigError` if the trust root cannot be.
    """

    def statement(self, bundle: Bundle) -> VerifiedSignature:
        """Check the signature of a statement, and return what that says."""

    def file(self, bundle: Bundle, sha256: str) -> VerifiedSignature:
        """Check the signature of a file, given by its sha256 in hex."""


class StrangersVerifier(BundleVerifier, Protocol):
    """Checks what a stranger finds: also what a forge says itself. Raises as the other."""

    def forge_statement(self, bundle: Bundle) -> ForgeStatement:
        """Check the signature of a forge's own statement, which has a time stamp (RFC 3161) and no entry in a log.

        Raises `Unknown` also if no trusted root has the forge's keys.
        """


class Signing(Protocol):
    """What signs with one Sigstore instance, and what checks its signatures."""

    @property
    def signer(self) -> Signer:
        """Signs as the workflow run that this process belongs to."""

    @property
    def verifier(self) -> BundleVerifier:
        """Checks signatures against the keys that the instance is trusted by."""
