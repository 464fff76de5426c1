"""One exchange with GitHub's REST API through the bounded session. Nothing here imports PyGithub.

An answer that is not the API's is an error: a redirect of a write or a page, a 202, a 200 that is not JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from unmoor import advice
from unmoor.adapters.github.answers import TransientError
from unmoor.adapters.http.urls import origin, resolve_link, without_query
from unmoor.errors import Cause, Unknown
from unmoor.util.decode import decode_json, is_json_value
from unmoor.util.secret import Secret

if TYPE_CHECKING:
    from unmoor.adapters.http.session import BoundedSession, Response

# One page of releases with hundreds of assets each is long.
_LIMIT = 30_000_000
# A renamed repository redirects once, and once more for each name that it had before.
_HOPS = 5


def exchange(
    http: BoundedSession, verb: str, url: str, *, body: bytes, headers: Mapping[str, str], token: Secret | None
) -> Response:
    """Send one request, and return an answer of any status that the API gives.

    ``token`` is the value of the Authorization header. Raises `TransientError` and `Unknown`.
    """
    try:
        answer = http.send(
            verb,
            url,
            body=body,
            headers=headers,
            secret_headers={"Authorization": token} if token else {},
            limit=_LIMIT,
            deadline=http.bounds.total,
        )
    except Unknown as error:
        fault = TransientError(error.what, where=error.where, **error.advice)
        fault.cause = error.cause
        raise fault from error
    redirected = HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST
    if answer.status == HTTPStatus.ACCEPTED or (redirected and not _is_renamed(verb, url, answer)):
        raise _moved(answer, url)
    if answer.status == HTTPStatus.OK and not is_json_value(answer.body):
        fault = TransientError(
            "the answer is not that of the forge's API",
            where=without_query(url),
            otherwise=advice.CHECK_FORGE_ADDRESS(),
        )
        fault.cause = Cause.NONSENSE
        raise fault
    return answer


def read(http: BoundedSession, url: str, *, headers: Mapping[str, str], token: Secret | None) -> Response:
    """GET an address, following the redirects of a renamed repository on the same origin. Raises as `exchange` does."""
    answer = exchange(http, "GET", url, body=b"", headers=headers, token=token)
    for _ in range(_HOPS):
        if answer.status != HTTPStatus.MOVED_PERMANENTLY:
            return answer
        target = resolve_link(url, answer.headers.get("Location", ""))
        if target == url or origin(target) != origin(url):
            break
        url = target
        answer = exchange(http, "GET", url, body=b"", headers=headers, token=token)
    raise _moved(answer, url)


def content(answer: Response) -> Any:
    """The JSON of an answer, ``None`` if it is empty, ``{"data": text}`` if it is something else."""
    if not answer.body:
        return None
    try:
        return decode_json(answer.body, object)
    except ValueError:
        return {"data": answer.body.decode("utf-8", errors="replace")}


def authorization(token: Secret) -> Secret:
    """The value of the Authorization header, as PyGithub writes it."""
    return Secret(f"token {token.reveal()}")


def _is_renamed(verb: str, url: str, answer: Response) -> bool:
    """Whether a redirect says where a renamed repository is now. Pages of a list have to come from one address."""
    return verb == "GET" and answer.status == HTTPStatus.MOVED_PERMANENTLY and "?" not in url


def _moved(answer: Response, url: str) -> Unknown:
    return Unknown(
        f"the forge answers {answer.status} {answer.reason}: the repository may have been moved or renamed",
        where=without_query(url),
        next_step=advice.CHECK_REPOSITORY_NAME(),
        retryable=False,
    )
