"""The index's side of trusted publishing: which audience it wants, and the exchange of an ID token for an API token.

The addresses are PyPI's, on the host that takes uploads: ``/_/oidc/audience`` and ``/_/oidc/mint-token``.
Any index that has them will do.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import msgspec

from unmoor.adapters.http.retry_after import requested_wait
from unmoor.adapters.http.session import BoundedSession, Response
from unmoor.adapters.http.urls import origin, without_query
from unmoor.adapters.index.answers import words
from unmoor.adapters.index.trusted.claims import MISSING, Claims
from unmoor.errors import Denied, Unknown
from unmoor.ports.world import IndexPlace
from unmoor.util.decode import decode_json
from unmoor.util.secret import Secret
from unmoor.util.text import clean

AUDIENCE = "/_/oidc/audience"
MINT = "/_/oidc/mint-token"
KEPT = 600.0
"""Seconds that a token is used before a new one is fetched. PyPI's are good for 900."""
_LIMIT = 100_000
_DEADLINE = 60.0
_LONGEST_TOKEN = 20_000
_LONGEST_AUDIENCE = 200
# Audiences of others: an ID token for one of these would let an index act as this job elsewhere.
_OTHERS = frozenset({"pypi", "testpypi", "sigstore", "sts.amazonaws.com", "api://azureadtokenexchange"})
_IF_THAT_STAYS = "look at the index's status page"
_GIVE_A_TOKEN = 'or give an API token and set trusted-publishing = "never"'  # noqa: S105 - advice


@dataclass(frozen=True, kw_only=True)
class Minted:
    """A token, and for how many seconds it is used."""

    token: Secret
    kept: float


def audience(place: IndexPlace, http: BoundedSession) -> str:
    """Ask the index for the audience of its ID tokens. Raises `Denied`, `Unknown`."""
    url = _root(place) + AUDIENCE
    answer = http.get(url, headers={"Accept": "application/json"}, limit=_LIMIT, deadline=_DEADLINE)
    if origin(answer.url) != origin(url):
        raise Denied(
            f"it leads elsewhere, to {without_query(answer.url)}: the audience is believed only from the index itself",
            where=without_query(url),
            next_step=f"correct the upload address in the world file, {_GIVE_A_TOKEN}",
        )
    match answer.status:
        case HTTPStatus.OK:
            said = _read(answer).get("audience")
        case HTTPStatus.FORBIDDEN:
            raise _refused(place, "not-enabled", f"not-enabled: {words(answer)}", Claims())
        case HTTPStatus.NOT_FOUND:
            raise Denied(
                f"{place.name} has no trusted publishing: there is nothing at {AUDIENCE}",
                where=without_query(url),
                next_step='give an API token, and set trusted-publishing = "never" for this index',
            )
        case _:
            raise _unexpected_answer(place, answer)
    if not isinstance(said, str) or not said.isascii() or not said.isprintable() or not said.strip():
        raise Unknown(
            f"{place.name} names no audience for ID tokens", where=without_query(url), otherwise=_IF_THAT_STAYS
        )
    if len(said) > _LONGEST_AUDIENCE or (said.lower() in _OTHERS and not _is_public(place)):
        raise Denied(
            f"{place.name} asks for ID tokens for {clean(said, 60)!r}: with one it could act as this job elsewhere",
            where=without_query(url),
            next_step="ask the index's operator for an audience of its own",
        )
    return said


def mint(place: IndexPlace, http: BoundedSession, token: Secret, claims: Claims) -> Minted:
    """Exchange an ID token, once. Raises `Denied` where the index says no, `Unknown` where it may have said yes."""
    url = _root(place) + MINT
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
    code, description = _said(answer)
    raise _refused(place, code, description.replace(token.reveal(), "***"), claims)


def _root(place: IndexPlace) -> str:
    parts = urlsplit(place.upload)
    return f"{parts.scheme}://{parts.netloc}"


def _is_public(place: IndexPlace) -> bool:
    from unmoor.config.real_world import upload_addresses

    return origin(place.upload) in {origin(address) for address in upload_addresses()}


def _read(answer: Response) -> dict[str, Any]:
    try:
        return decode_json(answer.body, dict[str, Any])
    except ValueError:
        raise Unknown(
            f"{answer.status}, and no JSON",
            where=without_query(answer.url),
            otherwise="open that address in a browser: a proxy or a login page may answer in the index's place",
        ) from None


def _minted(place: IndexPlace, answer: Response) -> Minted:
    said = _read(answer)
    token, expires = said.get("token"), said.get("expires")
    if not isinstance(token, str) or not token.isascii() or not token.isprintable() or " " in token or not token:
        raise Unknown(f"{place.name} minted no token", where=without_query(answer.url), otherwise=_IF_THAT_STAYS)
    if len(token) > _LONGEST_TOKEN:
        raise Unknown(
            f"{place.name} minted a token too long", where=without_query(answer.url), otherwise=_IF_THAT_STAYS
        )
    life = expires - time.time() if isinstance(expires, int | float) else KEPT
    # An index may give less than PyPI; a clock that is wrong must not make a new token for each file.
    return Minted(token=Secret(token), kept=min(KEPT, max(life * 2 / 3, 30.0)))


def _said(answer: Response) -> tuple[str, str]:
    """The first error's code, and all that was said."""
    try:
        errors = _read(answer).get("errors")
    except Unknown:
        errors = None
    found = [each for each in errors if isinstance(each, dict)] if isinstance(errors, list) else []
    codes = [code for each in found if isinstance(code := each.get("code"), str)]
    told = [f"{each.get('code', '')}: {each.get('description', '')}" for each in found]
    return (codes[0] if codes else ""), clean("; ".join(told)) or f"{answer.status} {words(answer)}"


def _unexpected_answer(place: IndexPlace, answer: Response) -> Unknown:
    return Unknown(
        f"{place.name} answered {answer.status} where trusted publishing should be: {words(answer)}",
        where=without_query(answer.url),
        wait=requested_wait(answer.headers) or 0.0,
        otherwise=_IF_THAT_STAYS,
    )


@dataclass(frozen=True)
class _Way:
    """One way of being refused: what it means, and what to do. ``token``: issuer and audience are shown as well."""

    means: str
    step: str
    token: bool = False
    retryable: bool = False
    otherwise: str = ""


_WAYS: dict[str, _Way] = {
    "not-enabled": _Way(
        "{index} has switched trusted publishing off, for this CI or for all",
        f"wait until the index's status page says that it is back, {_GIVE_A_TOKEN}",
        retryable=True,
    ),
    "invalid-payload": _Way(
        "{index} could not read the request, or does not know who issued the ID token",
        "see that this index trusts this CI: GitHub Enterprise Server and self-hosted GitLab have issuers of their"
        f" own, which an index has to know; {_GIVE_A_TOKEN}",
        token=True,
    ),
    "invalid-token": _Way(
        "{index} does not believe the ID token: its signature, audience or time is not right",
        "",
        otherwise="compare issuer and audience above, and this machine's clock, with what the index expects",
        retryable=True,
        token=True,
    ),
    "invalid-reuse-token": _Way(
        "{index} has seen this ID token before, and takes each only once",
        "start a new job: it gets an ID token of its own; nothing else in a job may mint with the same one",
    ),
    "invalid-publisher": _Way(
        "{index} has no trusted publisher that matches this job",
        "on {index}, under the project's 'Publishing' (for a new project: the account's), add a publisher that is what"
        " stands on the right, or change the workflow until it says what the publisher is; no index knows the"
        " publishers of another one, so that each needs its own",
    ),
    "invalid-pending-publisher": _Way(
        "{index} has a pending publisher for this job and cannot make its project, which is there already",
        "choose another name; or, if the project is yours, add a publisher under its own 'Publishing' on {index}"
        " (the pending one is gone now)",
        retryable=True,
    ),
}
_NAME = _Way(
    "{index} has a pending publisher for this job and cannot make its project: the name is not allowed",
    "choose another name for the project, or ask the index's operators",
)
_ABOUT_NAME = re.compile(r"isn't allowed|too similar|conflicts with|the name", re.IGNORECASE)
_UNKNOWN = _Way("{index} refused to mint a token", f"correct what the index names, {_GIVE_A_TOKEN}")


def _refused(place: IndexPlace, code: str, description: str, claims: Claims) -> Denied:
    """The index said no: which way of saying no it is, its own words, who we said we are, and what to do."""
    way = _WAYS.get(code, _UNKNOWN)
    # The project of a pending publisher is made by the same rules as at an upload, and refused under this code.
    if code == "invalid-payload" and _ABOUT_NAME.search(description):
        way = _NAME
    told = [f"{way.means.format(index=place.name)} ({description})"]
    if claims.said:
        told.append(claims.table(place.name))
        told += [f"{name}: {claims.get(name) or MISSING}" for name in ("iss", "aud") if way.token]
    return Denied(
        "\n".join(told),
        where=_root(place),
        next_step=way.step.format(index=place.name),
        retryable=way.retryable,
        otherwise=way.otherwise,
    )
