"""The legacy upload API of an index: what it accepts and refuses, in PyPI's order."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import time
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
from packaging.utils import canonicalize_name
from packaging.version import Version
from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response

from unmoor.filesystem.files import write_atomic
from unmoor.rehearsal.index import form_checks
from unmoor.rehearsal.index.attestations import Attestations
from unmoor.rehearsal.index.form_checks import Offer
from unmoor.rehearsal.index.refusal import Refusal
from unmoor.rehearsal.index.store import ARCHIVED, QUARANTINED, ProjectStore, Stored
from unmoor.rehearsal.index.trusted_publishing import Minting, Publisher
from unmoor.rehearsal.shared import store
from unmoor.rehearsal.shared.http import drain, note
from unmoor.rehearsal.shared.store import Digests, Intake

if TYPE_CHECKING:
    from packaging.metadata import Metadata
    from starlette.requests import Request

USER = "rehearsal"
CLOSED = frozenset({ARCHIVED, QUARANTINED})
"""The statuses of a project that takes no uploads (PEP 792). PyPI refuses them as it refuses strangers."""
OPEN_DAYS = 14
"""Days after the first file of a release in which PyPI takes others."""
FIELD_LIMIT = 8 << 20
MAX_FIELDS = 5000
ATTESTATIONS = "attestations"
"""The form's field with a JSON list of attestations (PEP 740)."""
NO_ATTESTATIONS = "no-attestations"
"""The control file with which the index neither takes nor serves attestations."""


class Sender(msgspec.Struct, frozen=True, kw_only=True):
    """Who uploads: ``projects`` are the only ones that a minted token is for, ``publisher`` whom it was given to."""

    projects: tuple[str, ...] | None = None
    publisher: Publisher | None = None


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """The tokens of an index that are valid for every project and for ever.

    ``api`` is one that a user made. ``token`` is another if there is a control file ``api-token``; otherwise it counts
    as one that was given to ``publisher``, so that a release with it is like one of a CI job.
    """

    token: str
    api: str
    publisher: Publisher


class Uploads(msgspec.Struct, frozen=True, kw_only=True):
    """The uploads of one index: its projects, address and tokens, the size limit of a file in bytes, minted tokens.

    ``any_platform``: it takes wheels for any platform, unlike PyPI. With a control file ``no-attestations`` it ignores
    attestations, as PyPI can.
    """

    project_store: ProjectStore
    base: str
    tokens: Tokens
    limit: int
    attestations: Attestations
    minting: Minting | None = None
    any_platform: bool = False

    def authenticate(self, request: Request) -> Sender:
        """Check credentials. Missing or wrong ones are refused with 403, as on PyPI."""
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        try:
            user, _, password = base64.b64decode(text, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            user, password = "", ""
        if scheme.lower() == "basic" and user not in {"__token__", ""}:
            raise Refusal(
                HTTPStatus.FORBIDDEN,
                "Username/Password authentication is no longer supported. Migrate to API Tokens or Trusted "
                f"Publishers instead. See {self.base}/help/#apitoken and {self.base}/help/#trusted-publishers",
            )
        if self.minting is not None and (minted := self.minting.bearer(password)):
            return Sender(projects=minted.projects, publisher=minted.publisher)
        if hmac.compare_digest(password.encode(), self.tokens.api.encode()):
            return Sender()
        if not hmac.compare_digest(password.encode(), self.tokens.token.encode()):
            raise Refusal(
                HTTPStatus.FORBIDDEN,
                "Invalid or non-existent authentication information. "
                f"See {self.base}/help/#invalid-auth for more information.",
            )
        return Sender(publisher=None if self._has("api-token") else self.tokens.publisher)

    def _has(self, control: str) -> bool:
        return (self.project_store.folder / control).exists()

    async def upload(self, request: Request) -> Response:
        """``POST /legacy/``."""
        note(request, outcome="refused")
        try:
            sender = self.authenticate(request)
            if int(request.headers.get("content-length", "0")) > self.limit + FIELD_LIMIT:
                raise self._too_large("of this index")
        except Refusal:
            await drain(request)
            raise
        async with request.form(max_files=8, max_fields=MAX_FIELDS, max_part_size=FIELD_LIMIT) as form:
            note(request, outcome=await self._receive(request, form, sender))
        return Response(status_code=HTTPStatus.OK)

    async def _receive(self, request: Request, form: FormData, sender: Sender) -> str:
        content = form.get("content")
        sent = content.filename if isinstance(content, UploadFile) else None
        offer = Offer(filename=sent or "", fields=_fields(form))
        note(request, file=offer.filename[:255])
        metadata = form_checks.form(offer)
        self._owner(metadata.name, sender)
        if not isinstance(content, UploadFile) or not sent:
            raise Refusal(HTTPStatus.BAD_REQUEST, "Upload payload does not have a file.")
        await asyncio.to_thread(form_checks.description, metadata)
        form_checks.filename(offer)
        # uv sends no content type, which is fine.
        if (content.content_type or "").startswith("image/"):
            raise Refusal(HTTPStatus.BAD_REQUEST, "Invalid distribution file.")
        if (content.size or 0) > self.limit:
            raise self._too_large(f"for project {metadata.name!r}")
        intake = Intake(self.project_store.folder / "incoming")
        try:
            found = await asyncio.to_thread(_take, intake, content)
            note(request, sha256=found.sha256)
            form_checks.digests(offer, found)
            return await self._place(intake, offer, found, metadata, sender)
        finally:
            intake.drop()

    async def _place(self, intake: Intake, offer: Offer, found: Digests, metadata: Metadata, sender: Sender) -> str:
        if outcome := self._known(offer, found, metadata):
            return outcome
        inner = await asyncio.to_thread(
            form_checks.archive, intake.path, offer, metadata, any_platform=self.any_platform
        )
        provenance = await asyncio.to_thread(self._provenance, offer, found, sender)
        # Another request may have uploaded the same name while the archive was read.
        return self._known(offer, found, metadata) or self._keep(intake, offer, found, inner, provenance)

    def _provenance(self, offer: Offer, found: Digests, sender: Sender) -> bytes | None:
        """Check the attestations of a file, and return what is served of them; ``None`` if it has none."""
        if ATTESTATIONS not in offer.fields or self._has(NO_ATTESTATIONS):
            return None
        text = offer.fields[ATTESTATIONS][-1]
        return self.attestations.provenance(text, sender.publisher, name=offer.filename, sha256=found.sha256)

    def _too_large(self, whose: str) -> Refusal:
        return Refusal(
            HTTPStatus.BAD_REQUEST,
            f"File too large. Limit {whose} is {self.limit // (1 << 20)} MB. "
            f"See {self.base}/help/#file-size-limit for more information.",
        )

    def _owner(self, name: str, sender: Sender) -> None:
        if sender.projects is not None and self.project_store.get(name) is None:
            raise Refusal(
                HTTPStatus.BAD_REQUEST,
                "Non-user identities cannot create new projects. This was probably caused by successfully using a "
                "pending publisher but specifying the project name incorrectly (either in the publisher or in your "
                "project's metadata). Please ensure that both match.",
            )
        if sender.projects is not None and canonicalize_name(name) not in sender.projects:
            raise Refusal(
                HTTPStatus.FORBIDDEN, f"Invalid API Token: OIDC scoped token is not valid for project {name!r}"
            )
        project = self.project_store.get(name)
        if self.project_store.is_foreign(name) or (project and self.project_store.status(project) in CLOSED):
            who = f"user {USER!r}" if sender.projects is None else "given token"
            raise Refusal(
                HTTPStatus.FORBIDDEN,
                f"The {who} isn't allowed to upload to project {name!r}. "
                f"See {self.base}/help/#project-name for more information.",
            )
        if project is None:
            form_checks.project(name)

    def _known(self, offer: Offer, found: Digests, metadata: Metadata) -> str:
        """Return ``already there`` for the same file, empty if it is new. Raises `Refusal` if the name is taken."""
        twin = self.project_store.twin(offer.filename, found.blake2)
        if twin and twin.name == offer.filename and twin.digests == found:
            return "already there"
        see = f"See {self.base}/help/#file-name-reuse for more information."
        if twin:
            raise Refusal(
                HTTPStatus.BAD_REQUEST,
                f"File already exists ({twin.name!r}, with blake2_256 hash {twin.digests.blake2!r}). {see}",
            )
        project = self.project_store.get(offer.text("name"))
        if project and offer.filename in project.deleted:
            raise Refusal(
                HTTPStatus.BAD_REQUEST,
                "This filename was previously used by a file that has since been deleted. "
                f"Use a different version. {see}",
            )
        others = project.of(str(metadata.version)) if project else ()
        if self._is_closed(others):
            raise Refusal(
                HTTPStatus.BAD_REQUEST, f"Uploading new files to releases older than {OPEN_DAYS} days is not allowed."
            )
        kinds = {file.kind for file in others}
        if offer.text("filetype") == "sdist" and "sdist" in kinds:
            raise Refusal(HTTPStatus.BAD_REQUEST, "Only one sdist may be uploaded per release.")
        return ""

    def _is_closed(self, files: tuple[Stored, ...]) -> bool:
        """Whether a release with these files takes no others, by the index's clock."""
        begun = min((datetime.fromisoformat(file.uploaded).timestamp() for file in files), default=None)
        now = self.minting.now() if self.minting else time.time()
        return begun is not None and now > begun + OPEN_DAYS * 86400

    def _keep(self, intake: Intake, offer: Offer, found: Digests, inner: bytes | None, provenance: bytes | None) -> str:
        raw: dict[str, Any] = dict(offer.metadata)
        file = Stored(
            name=offer.filename,
            version=str(Version(offer.text("version"))),
            kind=offer.text("filetype"),
            pyversion=offer.text("pyversion") or "source",
            digests=found,
            uploaded=store.now(),
            requires_python=offer.text("requires_python") or None,
            metadata_sha256=None if inner is None else hashlib.sha256(inner).hexdigest(),
            has_provenance=provenance is not None,
        )
        path = self.project_store.bytes_of(file)
        intake.keep(path)
        if inner is not None:
            write_atomic(path.with_name(f"{path.name}.metadata"), inner, sync=False)
        if provenance is not None:
            write_atomic(path.with_name(f"{path.name}.provenance"), provenance, sync=False)
        self.project_store.add(offer.text("name"), file, raw)
        return "stored"


def _fields(form: FormData) -> dict[str, list[str]]:
    """Return the texts of a form by name, as PyPI goes on with them.

    It drops a field whose last value is ``UNKNOWN``, and one with a single empty value. A blank value stays.
    """
    fields: dict[str, list[str]] = {}
    for name, value in form.multi_items():
        if isinstance(value, str):
            fields.setdefault(name, []).append(value)
    return {
        name: [values[-1].replace("\0", "\\x00")] if "\0" in values[-1] else values
        for name, values in fields.items()
        if values != [""] and values[-1].strip() != "UNKNOWN"
    }


def _take(intake: Intake, content: UploadFile) -> Digests:
    content.file.seek(0)
    for piece in store.read_pieces(content.file):
        intake.write(piece)
    return intake.done()
