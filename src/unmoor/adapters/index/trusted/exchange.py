"""Trusted publishing requests to the index: get its audience, and exchange an ID token for an API token."""

from __future__ import annotations

import re
import time
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import msgspec

from unmoor import advice
from unmoor.adapters.http.retry_after import ServerBusy, is_busy, requested_wait, time_to_wait
from unmoor.adapters.http.session import BoundedSession, Response
from unmoor.adapters.http.urls import origin, without_query
from unmoor.adapters.identity.claims import MISSING, Claims
from unmoor.adapters.index.answers import error_message
from unmoor.advice import NOTHING, NextStep, Template
from unmoor.errors import Cause, Denied, Unknown, UnmoorError
from unmoor.ports.failure import failure
from unmoor.ports.world import IndexPlace
from unmoor.util.decode import decode_json
from unmoor.util.secret import Secret, masker
from unmoor.util.text import clean

LIFETIME = 600.0
"""Seconds to use a token before minting a new one. PyPI's tokens are valid for 900."""
_LIMIT = 100_000
_DEADLINE = 60.0
# Seconds to wait for a busy index that does not say how long.
_DEFAULT = 5.0
_LONGEST_TOKEN = 20_000
_LONGEST_AUDIENCE = 200
# Audiences of other services: with an ID token for one of these, an index could act as this job there.
_OTHERS = frozenset({"pypi", "testpypi", "sigstore", "sts.amazonaws.com", "api://azureadtokenexchange"})


class Endpoints(msgspec.Struct, frozen=True, kw_only=True):
    """Where an index does trusted publishing: the addresses of its audience and of the exchange, and their origin."""

    root: str
    audience: str
    mint: str

    @classmethod
    def of(cls, place: IndexPlace) -> Endpoints:
        """Return the addresses of an index: PyPI's paths, on the host that takes uploads.

        This is the only place that knows them. With PEP 807 (a draft) an index would name them itself, in a document
        at ``/.well-known/pytp``.
        """
        parts = urlsplit(place.upload)
        root = f"{parts.scheme}://{parts.netloc}"
        return cls(root=root, audience=f"{root}/_/oidc/audience", mint=f"{root}/_/oidc/mint-token")


class Minted(msgspec.Struct, frozen=True, kw_only=True):
    """A token, and for how many seconds to use it."""

    token: Secret
    lifetime: float


def audience(place: IndexPlace, http: BoundedSession) -> str:
    """Ask the index for the audience of its ID tokens. Raises `Denied`, `Unknown`."""
    url = Endpoints.of(place).audience
    answer = http.get(url, headers={"Accept": "application/json"}, limit=_LIMIT, deadline=_DEADLINE)
    if origin(answer.url) != origin(url):
        raise Denied(
            f"it redirects to {without_query(answer.url)}, and only the index itself may name the audience",
            where=without_query(url),
            next_step=advice.CORRECT_ADDRESS_OR_USE_TOKEN(),
        )
    match answer.status:
        case HTTPStatus.OK:
            name = _read(answer).get("audience")
        case HTTPStatus.FORBIDDEN:
            raise _refused(place, "not-enabled", f"not-enabled: {error_message(answer)}", Claims())
        case HTTPStatus.NOT_FOUND:
            raise Denied(
                f"{place.name} has no trusted publishing: {urlsplit(url).path} does not exist there",
                where=without_query(url),
                next_step=advice.SWITCH_TRUSTED_PUBLISHING_OFF(),
            )
        case _:
            raise _unexpected_answer(place, answer)
    if not isinstance(name, str) or not name.isascii() or not name.isprintable() or not name.strip():
        raise Unknown(
            f"{place.name} names no audience for ID tokens",
            where=without_query(url),
            otherwise=advice.CHECK_STATUS_PAGE(whose="index"),
        )
    if len(name) > _LONGEST_AUDIENCE or (name.lower() in _OTHERS and not _is_public(place)):
        raise Denied(
            f"{place.name} asks for ID tokens for {clean(name, 60)!r}: with one it could act as this job elsewhere",
            where=without_query(url),
            next_step=advice.ASK_FOR_AUDIENCE(),
        )
    return name


def mint(place: IndexPlace, http: BoundedSession, token: Secret, claims: Claims) -> Minted:
    """Exchange an ID token, in one try. Raises `Denied` if the index refuses, `Unknown` if it may have accepted."""
    url = Endpoints.of(place).mint
    answer = http.send(
        "POST",
        url,
        body=msgspec.json.encode({"token": token.reveal()}),
        headers={"Accept": "application/json", "Content-Type": "application/json"},
        limit=_LIMIT,
        deadline=_DEADLINE,
    )
    if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        return _minted(place, answer)
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR or answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        raise _unexpected_answer(place, answer)
    code, description = _error(answer)
    raise _refused(place, code, masker([token])(description), claims)


def _is_public(place: IndexPlace) -> bool:
    from unmoor.config.real_world import upload_addresses

    return origin(place.upload) in {origin(address) for address in upload_addresses()}


def _read(answer: Response) -> dict[str, Any]:
    try:
        return decode_json(answer.body, dict[str, Any])
    except ValueError:
        raise Unknown(
            f"the answer has status {answer.status} and is not JSON",
            where=without_query(answer.url),
            otherwise=advice.OPEN_ADDRESS(),
        ) from None


def _minted(place: IndexPlace, answer: Response) -> Minted:
    fields = _read(answer)
    token, expires = fields.get("token"), fields.get("expires")
    if not isinstance(token, str) or not token.isascii() or not token.isprintable() or " " in token or not token:
        raise Unknown(
            f"{place.name} returned no token",
            where=without_query(answer.url),
            otherwise=advice.CHECK_STATUS_PAGE(whose="index"),
        )
    if len(token) > _LONGEST_TOKEN:
        raise Unknown(
            f"{place.name} returned an oversized token",
            where=without_query(answer.url),
            otherwise=advice.CHECK_STATUS_PAGE(whose="index"),
        )
    left = expires - time.time() if isinstance(expires, int | float) else LIFETIME
    # Another index may give less time than PyPI. At least 30 s: a wrong clock must not mint a token for each file.
    return Minted(token=Secret(token), lifetime=min(LIFETIME, max(left * 2 / 3, 30.0)))


def _error(answer: Response) -> tuple[str, str]:
    """The first error's code, and all codes and descriptions."""
    try:
        errors = _read(answer).get("errors")
    except Unknown:
        errors = None
    found = [each for each in errors if isinstance(each, dict)] if isinstance(errors, list) else []
    codes = [code for each in found if isinstance(code := each.get("code"), str)]
    texts = [f"{each.get('code', '')}: {each.get('description', '')}" for each in found]
    return (codes[0] if codes else ""), clean("; ".join(texts)) or f"{answer.status} {error_message(answer)}"


def _unexpected_answer(place: IndexPlace, answer: Response) -> UnmoorError:
    what = f"{place.name} answered {answer.status} to a trusted publishing request: {error_message(answer)}"
    where, asked = without_query(answer.url), requested_wait(answer.headers)
    if is_busy(answer.status, asked):
        return ServerBusy(what, where=where, wait=time_to_wait(asked, default=_DEFAULT))
    return failure(Cause.LOST, what, where=where, wait=asked or 0.0, otherwise=advice.CHECK_STATUS_PAGE(whose="index"))


class _Refusal(msgspec.Struct, frozen=True):
    """One kind of refusal: what it means, and what to do. ``token``: also print issuer and audience."""

    means: str
    step: Template | None
    token: bool = False
    retryable: bool = False
    otherwise: NextStep = NOTHING


_REFUSALS: dict[str, _Refusal] = {
    "not-enabled": _Refusal(
        "{index} has switched trusted publishing off, for this CI or for all of them",
        advice.WAIT_FOR_TRUSTED_PUBLISHING,
        retryable=True,
    ),
    "invalid-payload": _Refusal(
        "{index} could not read the request, or does not know who issued the ID token",
        advice.CHECK_TRUST_IN_CI,
        token=True,
    ),
    "invalid-token": _Refusal(
        "{index} does not accept the ID token: its signature, audience or time is wrong",
        None,
        otherwise=advice.COMPARE_ISSUER(),
        retryable=True,
        token=True,
    ),
    "invalid-reuse-token": _Refusal(
        "{index} has seen this ID token before, and accepts each only once",
        advice.START_JOB_FOR_TOKEN,
    ),
    "invalid-publisher": _Refusal(
        "{index} has no trusted publisher that matches this job",
        advice.MATCH_PUBLISHER,
    ),
    "invalid-pending-publisher": _Refusal(
        "{index} has a pending publisher for this job and cannot create its project, which exists already",
        advice.ADD_PUBLISHER_TO_PROJECT,
        retryable=True,
    ),
}
_NAME = _Refusal(
    "{index} has a pending publisher for this job and cannot create its project: the name is not allowed",
    advice.CHOOSE_ANOTHER_NAME,
)
_ABOUT_NAME = re.compile(r"isn't allowed|too similar|conflicts with|the name", re.IGNORECASE)
_UNKNOWN = _Refusal("{index} refused to mint a token", advice.CORRECT_OR_USE_TOKEN)


def _refused(place: IndexPlace, code: str, description: str, claims: Claims) -> Denied:
    """Return the error for a refusal: what it means, the index's own message, this job's claims, and what to do."""
    refusal = _REFUSALS.get(code, _UNKNOWN)
    # Creating the project of a pending publisher follows the rules of an upload, and fails with this code.
    if code == "invalid-payload" and _ABOUT_NAME.search(description):
        refusal = _NAME
    lines = [f"{refusal.means.format(index=place.name)} ({description})"]
    if claims.values:
        lines += filter(None, (claims.doubt,))
        lines.append(claims.table(place.name))
        lines += [f"{name}: {claims.get(name) or MISSING}" for name in ("iss", "aud") if refusal.token]
    return Denied(
        "\n".join(lines),
        where=Endpoints.of(place).root,
        next_step=refusal.step(index=place.name) if refusal.step else NOTHING,
        retryable=refusal.retryable,
        otherwise=refusal.otherwise,
    )
