"""ID tokens from an address, for a process that no CI started: it answers as GitHub does to its jobs."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from unmoor import advice
from unmoor.adapters.http.retry_after import ServerBusy, is_busy, requested_wait, time_to_wait
from unmoor.adapters.http.session import BoundedSession
from unmoor.adapters.http.urls import without_query
from unmoor.errors import Cause, Denied
from unmoor.ports.failure import failure
from unmoor.ports.world import Login
from unmoor.util.decode import decode_json
from unmoor.util.secret import Secret

_LIMIT = 100_000
_DEADLINE = 30.0
_DEFAULT = 5.0


def id_token_from(address: str, login: Login, audience: str, http: BoundedSession) -> Secret:
    """Get an ID token for an audience, in one try: ``GET ADDRESS?audience=…`` with a bearer token.

    Raises `Denied` for 401 and 403, and `Unknown`.
    """
    url = f"{address}{'&' if '?' in address else '?'}audience={quote(audience, safe='')}"
    bearer = {"Authorization": Secret(f"Bearer {login.secret.reveal()}")} if login.secret else {}
    answer = http.get(
        url, headers={"Accept": "application/json"}, secret_headers=bearer, limit=_LIMIT, deadline=_DEADLINE
    )
    where, asked = without_query(url), requested_wait(answer.headers)
    if is_busy(answer.status, asked):
        what = f"the issuer of ID tokens asks to retry later ({answer.status})"
        raise ServerBusy(what, where=where, wait=time_to_wait(asked, default=_DEFAULT))
    if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        raise Denied(
            f"the issuer of ID tokens denies access ({answer.status})",
            where=where,
            next_step=advice.CHECK_CREDENTIAL(origin=login.origin),
        )
    if answer.status != HTTPStatus.OK:
        cause = Cause.LOST if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR else Cause.NONSENSE
        raise failure(cause, f"the issuer of ID tokens answered {answer.status}", where=where)
    try:
        token = decode_json(answer.body, dict[str, Any]).get("value")
    except ValueError:
        token = None
    if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable() or " " in token:
        raise failure(Cause.NONSENSE, "the issuer's answer has no ID token", where=where)
    return Secret(token)
