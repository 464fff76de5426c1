"""The attestations of a repository: those that its workflows store, and those that GitHub makes of immutable releases.

GitHub takes a bundle only if its certificate names the repository. Sources: ``/repos/{owner}/{repo}/attestations`` in
GitHub's description of its API, and for the refusals actions/attest-build-provenance#216 and #761.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from unmoor.rehearsal.github.release_signer import PREDICATE, ReleaseSigner
from unmoor.rehearsal.github.releases import Problem
from unmoor.rehearsal.github.requests import RequestHandler
from unmoor.rehearsal.shared import store
from unmoor.util.decode import decode_json, described

if TYPE_CHECKING:
    from starlette.requests import Request

_SITE = "https://github.com"
_SOURCE_REPOSITORY = "1.3.6.1.4.1.57264.1.12"
_KINDS = {
    "provenance": ("https://slsa.dev/provenance/",),
    "sbom": ("https://spdx.dev/Document", "https://cyclonedx.org/bom"),
    "release": ("https://in-toto.io/attestation/release/",),
}
"""What a short name in ``predicate_type`` stands for: the beginnings of predicate types."""


class _Subject(msgspec.Struct, frozen=True):
    digest: Mapping[str, str]
    name: str = ""
    uri: str = ""


class _Statement(msgspec.Struct, frozen=True, rename="camel"):
    subject: list[_Subject]
    predicate_type: str


class _Envelope(msgspec.Struct, frozen=True, rename="camel"):
    payload: bytes


class _Certificate(msgspec.Struct, frozen=True, rename="camel"):
    raw_bytes: bytes


class _Chain(msgspec.Struct, frozen=True):
    certificates: list[_Certificate]


class _Material(msgspec.Struct, frozen=True, rename="camel"):
    certificate: _Certificate | None = None
    x509_certificate_chain: _Chain | None = None


class _Bundle(msgspec.Struct, frozen=True, rename="camel"):
    media_type: str
    verification_material: _Material
    dsse_envelope: _Envelope


class AttestationBody(msgspec.Struct):
    """The body of a request that stores a bundle."""

    bundle: dict[str, Any]


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """One attestation: the digests of its subjects, as ``sha256:…``, its predicate type, and its bundle."""

    id: int
    digests: tuple[str, ...]
    predicate: str
    bundle: dict[str, Any]


class _Listed(NamedTuple):
    """The number of an attestation, which names its file, and the digests of its subjects."""

    id: int
    digests: tuple[str, ...]


@dataclass
class AttestationStore:
    """The stored attestations, one file each. In memory are only their numbers and digests."""

    folder: Path
    _listed: list[_Listed] = field(default_factory=list)
    _adding: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self) -> None:
        loaded = (store.load(path, Stored) for path in self.folder.glob("*.json"))
        self._listed = sorted(_Listed(each.id, each.digests) for each in loaded if each)

    def add(self, bundle: dict[str, Any], repository: str) -> int:
        """Store a bundle, and return its number. Raises a 422 for one that GitHub refuses."""
        statement = _checked(bundle, repository)
        digests = tuple(f"{kind}:{value}" for subject in statement.subject for kind, value in subject.digest.items())
        with self._adding:
            number = self._listed[-1].id + 1 if self._listed else 1
            made = Stored(id=number, digests=digests, predicate=statement.predicate_type, bundle=bundle)
            store.save(self._path(number), made)
            self._listed.append(_Listed(number, digests))
        return number

    def about(self, digest: str) -> list[Stored]:
        """Return the attestations of a digest, the newest first."""
        numbers = (each.id for each in reversed(self._listed) if digest in each.digests)
        return [each for number in numbers if (each := store.load(self._path(number), Stored))]

    def _path(self, number: int) -> Path:
        return self.folder / f"{number}.json"


class Attestations(msgspec.Struct, frozen=True, kw_only=True):
    """The routes of attestations."""

    handler: RequestHandler
    attestation_store: AttestationStore
    signer: ReleaseSigner

    def routes(self) -> list[Route]:
        """Return them."""
        root = "/api/v3/repos/{owner}/{repo}/attestations"
        return [Route(root, self.create, methods=["POST"]), Route(f"{root}/{{digest}}", self.listing)]

    async def create(self, request: Request) -> Response:
        """``POST /attestations``."""
        body: AttestationBody = await self.handler.body(request, AttestationBody, "attestations")
        if (self.handler.releases.folder / "no-attestations").exists():
            raise Problem(HTTPStatus.FORBIDDEN, "Resource not accessible by integration")
        if self.handler.is_private and not self.handler.is_organisation:
            raise Problem(
                HTTPStatus.FORBIDDEN,
                "Feature not available for user-owned private repositories. To enable this feature, please make this"
                " repository public.",
            )
        add = self.attestation_store.add
        number = await asyncio.to_thread(add, body.bundle, self.handler.shapes.repository)
        return JSONResponse({"id": number}, HTTPStatus.CREATED)

    async def listing(self, request: Request) -> Response:
        """``GET /attestations/{digest}``."""
        self.handler.rights(request, "attestations")
        digest, shapes = request.path_params["digest"], self.handler.shapes
        asked = request.query_params.get("predicate_type", "")
        found = [
            (each.predicate, shapes.attestation(each.bundle, initiator="user"))
            for each in self.attestation_store.about(digest)
        ] + [
            (PREDICATE, shapes.attestation(bundle, initiator="github"))
            for tag, sha in self.handler.releases.state.attested
            if f"sha1:{sha}" == digest and (bundle := self.signer.bundle(tag)) is not None
        ]
        wanted = [shape for predicate, shape in found if predicate.startswith(_KINDS.get(asked, (asked,)))]
        return self.handler.cursored(request, "attestations", wanted)


def _checked(bundle: dict[str, Any], repository: str) -> _Statement:
    try:
        read = msgspec.convert(bundle, described(_Bundle))
        statement = decode_json(read.dsse_envelope.payload, _Statement)
    except (msgspec.ValidationError, ValueError) as error:
        raise _invalid(f"malformed bundle: {error}") from None
    seen = [(each.name or each.uri, *sorted(each.digest.items())) for each in statement.subject]
    if len(set(seen)) < len(seen):
        raise _invalid("duplicate subject in statement")
    signer, ours = _source_repository(read.verification_material), f"{_SITE}/{repository}"
    if signer != ours:
        raise _invalid(f"values do not match: {signer} != {ours}")
    return statement


def _source_repository(material: _Material) -> str:
    """Return the address of the repository in the signer's certificate; empty if it names none."""
    from cryptography import x509
    from pyasn1.codec.der.decoder import decode
    from pyasn1.type.char import UTF8String

    chain = material.x509_certificate_chain.certificates if material.x509_certificate_chain else []
    certificate = material.certificate or next(iter(chain), None)
    if certificate is None:
        raise _invalid("no certificate")
    try:
        extensions = x509.load_der_x509_certificate(certificate.raw_bytes).extensions
        value = extensions.get_extension_for_oid(x509.ObjectIdentifier(_SOURCE_REPOSITORY)).value.public_bytes()
    except x509.ExtensionNotFound:
        return ""
    except ValueError:
        raise _invalid("the certificate cannot be read") from None
    return str(decode(value, UTF8String())[0])


def _invalid(why: str) -> Problem:
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"Invalid Argument - {why}")
