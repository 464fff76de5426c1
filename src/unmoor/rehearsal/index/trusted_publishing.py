"""Trusted publishing on an index: its audience, and the exchange of an ID token for an API token of 15 minutes.

It refuses and answers as PyPI does, in its order, and never compares ``sub``. The publishers are in
``publishers.json`` in the index's folder: a list of `Publisher` objects. Control files: ``no-trusted-publishing``
disables it, ``no-github`` disables only this issuer, and ``ahead`` has the seconds by which the index's clock is ahead.

Why no library: the client side has some, the index's side is PyPI's own.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from packaging.utils import canonicalize_name
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from unmoor.filesystem.safe_folder import open_in_place
from unmoor.rehearsal.index import form_checks
from unmoor.rehearsal.index.refusal import Refusal
from unmoor.rehearsal.index.store import ProjectStore
from unmoor.rehearsal.shared import api_tokens, store
from unmoor.rehearsal.shared.http import note
from unmoor.rehearsal.shared.oidc import ALGORITHM, OWNER_ID, Issuer
from unmoor.util.decode import decode_json
from unmoor.util.values import replace

if TYPE_CHECKING:
    from starlette.requests import Request

LIFE = 900
"""Lifetime of a minted token, in seconds."""
LEEWAY = 30
PENDING_DAYS = 30
"""Days after which a pending publisher expires."""
_WORKFLOW = re.compile(r"/\.github/workflows/([^/@]+\.ya?ml)@")


class Publisher(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One trusted publisher: ``repository`` is ``OWNER/NAME``, an empty ``environment`` allows any.

    ``owner_id`` is the number of the repository's owner, which the index looked up when the publisher was added.
    The ``project`` of a pending one does not exist yet: the first mint creates it, up to 30 days after ``added``,
    in Unix time; ``None`` does not expire.
    """

    project: str
    repository: str
    workflow: str
    environment: str = ""
    pending: bool = False
    owner_id: str = OWNER_ID
    added: float | None = None

    def matches(self, claims: dict[str, Any]) -> bool:
        """Whether a job with these claims may be this publisher; `refusal` decides."""
        found = _WORKFLOW.search(str(claims.get("job_workflow_ref", "")))
        return (
            self.repository.lower() == str(claims.get("repository", "")).lower()
            and self.owner_id == claims.get("repository_owner_id")
            and found is not None
            and found[1] == self.workflow
            and self.environment.lower() in {"", str(claims.get("environment", "")).lower()}
        )

    def refusal(self, claims: dict[str, Any]) -> str:
        """Check the claims that do not choose the publisher. Return why they are refused, empty if they are not."""
        workflow = f"{claims['repository']}/.github/workflows/{self.workflow}"
        refs = sorted(f"{workflow}@{claims[name]}" for name in ("ref", "sha") if claims.get(name))
        if claims["job_workflow_ref"] not in refs:
            got = claims["job_workflow_ref"]
            return f"The job_workflow_ref claim does not match, expecting one of {refs!r}, got {got!r}"
        if claims.get("event_name") == "pull_request_target":
            return "Publishing from a workflow invoked via 'pull_request_target' is not supported."
        return ""


class Minted(msgspec.Struct, frozen=True):
    """A minted token: the normalized names of its projects, its expiry as a Unix time, and whom it was given to."""

    projects: tuple[str, ...]
    expires: float
    publisher: Publisher


class MintError(Exception):
    """A refusal to mint a token, with PyPI's code and words."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.code = code
        self.description = description


def _chosen(matching: Iterable[Publisher]) -> list[Publisher]:
    """Return the publishers that name the job's environment; if none does, those that allow any."""
    found = list(matching)
    return [each for each in found if each.environment] or found


class Minting(msgspec.Struct, frozen=True, kw_only=True):
    """The token exchange of one index; ``location`` is the index in its tokens."""

    project_store: ProjectStore
    issuer: Issuer
    location: str
    clock: Callable[[], float] = time.time

    @property
    def folder(self) -> Path:
        """The folder of the index's state and control files."""
        return self.project_store.folder

    @property
    def expected_audience(self) -> str:
        """The audience of its ID tokens; each index has its own."""
        return f"local-{self.folder.name}"

    def now(self) -> float:
        """Return the index's time."""
        return self.clock() + sum(map(float, store.lines(self.folder / "ahead")))

    def routes(self) -> list[Route]:
        """Return its routes; the last one is the older address of the exchange."""
        return [
            Route("/_/oidc/audience", self.audience),
            Route("/_/oidc/mint-token", self.mint, methods=["POST"]),
            Route("/_/oidc/github/mint-token", self.mint, methods=["POST"]),
        ]

    @property
    def _off(self) -> bool:
        return (self.folder / "no-trusted-publishing").exists()

    async def audience(self, _request: Request) -> Response:
        """``GET /_/oidc/audience``."""
        if self._off:
            return JSONResponse({"message": "Trusted publishing functionality not enabled"}, HTTPStatus.FORBIDDEN)
        return JSONResponse({"audience": self.expected_audience})

    async def mint(self, request: Request) -> Response:
        """``POST /_/oidc/mint-token``."""
        try:
            token, expires = self.exchange(await request.body())
        except MintError as error:
            note(request, outcome=error.code)
            errors = [{"code": error.code, "description": error.description}]
            return JSONResponse({"message": "Token request failed", "errors": errors}, HTTPStatus.UNPROCESSABLE_ENTITY)
        note(request, outcome="minted")
        return JSONResponse({"success": True, "token": token, "expires": int(expires)})

    def exchange(self, body: bytes) -> tuple[str, float]:
        """Exchange an ID token for an API token and its expiry. Raises `MintError`."""
        claims = self._verified_claims(_payload(body))
        self._resolve_pending(claims)
        mine = _chosen(each for each in self._publishers() if not each.pending and each.matches(claims))
        reason = mine[0].refusal(claims) if mine else "Publisher with matching claims was not found"
        if reason:
            raise MintError("invalid-publisher", f"valid token, but no corresponding publisher ({reason})")
        used = self.folder / "id-tokens-used"
        if claims["jti"] in store.lines(used):
            raise MintError("invalid-reuse-token", "invalid token: already used")
        with os.fdopen(open_in_place(used, flags=os.O_WRONLY | os.O_APPEND), "a", encoding="utf-8") as stream:
            stream.write(f"{claims['jti']}\n")
        return self._new(mine, claims)

    def _verified_claims(self, token: str) -> dict[str, Any]:
        """Return the claims of a current token that the issuer signed for this index. Raises `MintError`."""
        import jwt

        try:
            issuer = jwt.decode(token, options={"verify_signature": False})["iss"]
        except (jwt.PyJWTError, KeyError):
            raise MintError("invalid-payload", "malformed JWT") from None
        if issuer != self.issuer.base:
            raise MintError("invalid-payload", "unknown trusted publishing issuer")
        if self._off or (self.folder / "no-github").exists():
            raise MintError("not-enabled", "GitHub trusted publishing functionality not enabled")
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self.issuer.public,
                algorithms=[ALGORITHM],
                audience=self.expected_audience,
                # The time is checked below, by the index's own clock.
                options={
                    "require": ["iss", "iat", "exp", "aud", "jti"],
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except jwt.PyJWTError:
            claims = {}
        if not claims or not claims["iat"] - LEEWAY <= self.now() < claims["exp"] + LEEWAY:
            raise MintError("invalid-token", "malformed or invalid token")
        return claims

    def _resolve_pending(self, claims: dict[str, Any]) -> None:
        """Create the project of a matching pending publisher, and make the publisher a normal one."""
        publishers = self._publishers()
        live = (each for each in publishers if each.pending and each.matches(claims) and not self._has_expired(each))
        pending = next(iter(_chosen(live)), None)
        if pending is None or pending.refusal(claims):
            return
        others = [each for each in publishers if each is not pending]
        if self.project_store.get(pending.project) is not None:
            self._save(others)
            raise MintError("invalid-pending-publisher", "valid token, but project already exists")
        try:
            form_checks.project(pending.project)
        except Refusal as refusal:
            raise MintError("invalid-payload", refusal.reason) from None
        self.project_store.create(pending.project)
        self._save([*others, replace(pending, pending=False)])

    def _has_expired(self, publisher: Publisher) -> bool:
        return publisher.added is not None and self.now() > publisher.added + PENDING_DAYS * 86400

    def _publishers(self) -> list[Publisher]:
        return store.load(self.folder / "publishers.json", list[Publisher]) or []

    def _save(self, publishers: Sequence[Publisher]) -> None:
        store.save(self.folder / "publishers.json", publishers)

    def _new(self, mine: Sequence[Publisher], claims: Mapping[str, Any]) -> tuple[str, float]:
        """Make a token for publishers that are one on several projects."""
        now = self.now()
        projects = sorted({canonicalize_name(each.project) for each in mine})
        caveats = [
            api_tokens.of_publisher(claims.get("ref", ""), claims.get("sha", "")),
            api_tokens.for_projects(projects),
            api_tokens.expires(int(now) + LIFE, now),
        ]
        token = api_tokens.new_token(self.location, caveats)
        minted = Minted(projects=tuple(projects), expires=now + LIFE, publisher=mine[0])
        store.save(self._token_path(token), minted)
        return token, now + LIFE

    def _token_path(self, token: str) -> Path:
        """Return the path of a minted token's record, named by its hash."""
        return self.folder / "minted" / f"{hashlib.sha256(token.encode()).hexdigest()}.json"

    def bearer(self, token: str) -> Minted | None:
        """Return what a minted token allows; ``None`` for any other token. Raises `Refusal` if it has expired."""
        minted = store.load(self._token_path(token), Minted)
        if minted is not None and self.now() >= minted.expires:
            raise Refusal(HTTPStatus.FORBIDDEN, "Invalid API Token: token is expired")
        return minted


def _payload(body: bytes) -> str:
    try:
        token = decode_json(body, dict[str, Any])["token"]
    except (ValueError, KeyError):
        token = None
    if not isinstance(token, str):
        raise MintError("invalid-payload", "1 validation error for TokenPayload: token: Field required")
    return token
