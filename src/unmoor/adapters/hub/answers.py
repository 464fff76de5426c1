"""The hub's answers: their shapes, and its refusals as unmoor's errors, with its words cleaned."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from unmoor import advice
from unmoor.adapters.http.retry_after import ServerBusy, is_busy, requested_wait, time_to_wait
from unmoor.errors import Cause, Conflict, Denied, Rejected, UnmoorError
from unmoor.ports.failure import failure
from unmoor.util.decode import decode_json
from unmoor.util.text import clean

if TYPE_CHECKING:
    from unmoor.adapters.http.session import Response

W = TypeVar("W")
# Seconds to wait for a rate limit: if it does not say when it ends, and at most. The hub counts in 5 minutes.
_DEFAULT, _MOST = 10.0, 300.0


class AccessToken(msgspec.Struct, frozen=True, kw_only=True):
    """What a token may do: ``read``, ``write``, or ``fineGrained``."""

    role: str = ""


class Auth(msgspec.Struct, frozen=True, kw_only=True):
    """How a request was authenticated."""

    access_token: AccessToken | None = msgspec.field(default=None, name="accessToken")


class WhoAmI(msgspec.Struct, frozen=True, kw_only=True):
    """``/api/whoami-v2``."""

    name: str
    auth: Auth = msgspec.field(default_factory=Auth)


class RuntimeAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """``/api/spaces/REPO/runtime``, and a field of the next."""

    stage: str
    sha: str | None = None
    error_message: str | None = msgspec.field(default=None, name="errorMessage")


class SpaceAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """``/api/spaces/REPO``."""

    id: str
    sha: str
    private: bool
    runtime: RuntimeAnswer | None = None


class LfsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The bytes behind a pointer."""

    oid: str
    size: int


class TreeEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of ``/api/spaces/REPO/tree/REV``: a ``file`` or a ``directory``."""

    type: str
    path: str
    oid: str
    size: int = 0
    lfs: LfsAnswer | None = None


class CommitAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of ``/api/spaces/REPO/commits/REV``."""

    id: str
    title: str


class RefAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A tag."""

    name: str
    target: str = msgspec.field(name="targetCommit")


class RefsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """``/api/spaces/REPO/refs``."""

    tags: tuple[RefAnswer, ...] = ()


class LogEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event of a log, which has one line or several."""

    data: str


def converted(body: bytes, kind: type[W], what: str, where: str) -> W:
    """Decode an answer. Raises `Unknown` if it has another shape."""
    try:
        return decode_json(body, kind)
    except ValueError as error:
        raise malformed(f"{what} ({clean(str(error), 200)})", where) from None


def malformed(what: str, where: str) -> UnmoorError:
    """The error for an answer that is not the hub's own."""
    return failure(Cause.NONSENSE, f"the answer is not {what}", where=where)


def refusal(answer: Response, where: str, *, writes: bool) -> UnmoorError:
    """Return the error for a status of 300 and above. ``writes``: the request was to change something."""
    status, words = answer.status, said(answer)
    named = {name.lower(): value for name, value in answer.headers.items()}
    wait = requested_wait(named)
    if is_busy(status, wait):
        return ServerBusy(
            f"the hub asks to wait ({status}): {words}",
            where=where,
            wait=time_to_wait(wait, default=_DEFAULT, most=_MOST),
        )
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        step = advice.CHECK_STATUS_PAGE(whose="hub")
        return failure(Cause.LOST, f"the hub answered {status}: {words}", where=where, otherwise=step)
    hidden = named.get("x-error-code") == "RepoNotFound" or status == HTTPStatus.NOT_FOUND
    if status < HTTPStatus.BAD_REQUEST or (hidden and not writes):
        return Denied(
            f"the hub has no such Space, has moved it, or hides it from this token ({status}): {words}",
            where=where,
            next_step=advice.CREATE_SPACE(),
        )
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return Denied(
            f"the hub does not accept the token for this ({status}): {words}",
            where=where,
            next_step=advice.SET_SPACE_TOKEN(),
        )
    if status in {HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED}:
        return Conflict(
            f"the Space was changed meanwhile: {words}",
            where=where,
            next_step=advice.SEE_SPACE_COMMITS(),
            retryable=True,
        )
    return Rejected(
        f"the hub refused it ({status}): {words}", where=where, next_step=advice.FIX_WHAT_SERVER_NAMES(), retryable=True
    )


def said(answer: Response) -> str:
    """What the hub says about a refusal: its header, or the errors in its JSON, on one clean line."""
    headers: Mapping[str, str] = answer.headers
    try:
        data: Any = decode_json(answer.body, object)
    except ValueError:
        data = None
    words = [headers.get("X-Error-Message", "")]
    if isinstance(data, dict):
        errors = data.get("errors")
        words += (
            [str(each.get("message", "")) for each in errors if isinstance(each, dict)]
            if isinstance(errors, list)
            else []
        )
        words.append(str(data.get("error") or ""))
    return clean("; ".join(dict.fromkeys(word for word in words if word)) or answer.reason or "no reason given")
