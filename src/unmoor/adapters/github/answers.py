"""Validate GitHub's answers, and turn refusals into unmoor's errors.

GitHub's own messages are cleaned, and tokens in them are masked.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, TypeVar

from unmoor import advice
from unmoor.adapters.http.retry_after import ServerBusy, is_busy, read_date, requested_wait, time_to_wait
from unmoor.advice import NextStep
from unmoor.errors import Cause, Denied, Rejected, Unknown, UnmoorError
from unmoor.ports.failure import failure
from unmoor.util.decode import described
from unmoor.util.secret import Secret, masker
from unmoor.util.text import clean

W = TypeVar("W")
# Seconds to wait for a rate limit: if it does not say when it ends, and at most.
_DEFAULT, _MOST = 60.0, 3600.0
_NO_PLAN = "upgrade to github"
_IMMUTABLE = "what was an immutable release never changes, and its tag never comes free"


class TransientError(Unknown):
    """A temporary fault (5xx, time-out): a retry may help."""


class RateLimited(ServerBusy):
    """A rate limit: GitHub did nothing, and a retry after ``wait`` seconds may help."""

    def __init__(self, what: str, *, where: str, wait: float) -> None:
        super().__init__(what, where=where, wait=wait)


class BeyondPlan(Denied):
    """The plan of the repository's owner lacks what was asked for, which even administrators cannot change."""


class NotFound(Denied):
    """404: it does not exist, or is not visible."""


def malformed(what: str, where: str) -> UnmoorError:
    """The error for an answer of the wrong shape."""
    return failure(
        Cause.NONSENSE,
        f"the answer is not {what}",
        where=where,
        otherwise=advice.CHECK_FORGE_ADDRESS(),
    )


def converted(raw: Any, kind: type[W], what: str, where: str) -> W:
    """Convert an answer to the expected type. Raises `Unknown`."""
    import msgspec

    try:
        return msgspec.convert(raw, type=described(kind), strict=True)
    except msgspec.ValidationError as error:
        raise malformed(f"{what} ({clean(str(error), 200)})", where) from None


def refusal(
    status: int, data: Any, headers: Mapping[str, str], *, where: str, token: Secret, rights: NextStep
) -> UnmoorError:
    """Return the error for a status of 400 and above; header names are in lower case.

    ``rights`` is the next step for a token that lacks them.
    """
    said = words(data, token)
    if status == HTTPStatus.UNAUTHORIZED:
        return Denied(
            f"the forge does not accept the credential: {said}",
            where=where,
            next_step=advice.RENEW_FORGE_TOKEN(),
        )
    if status in {HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS} and _is_limit(status, said, headers):
        return RateLimited(f"the forge's rate limit: {said}", where=where, wait=_wait(headers))
    if status == HTTPStatus.FORBIDDEN:
        kind = BeyondPlan if _NO_PLAN in said.lower() else Denied
        return kind(
            f"the forge forbids it: {said}",
            where=where,
            next_step=rights,
        )
    if status == HTTPStatus.NOT_FOUND:
        return NotFound(
            f"not found: {said}",
            where=where,
            next_step=advice.CHECK_REPOSITORY_NAME(),
        )
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _fault(f"the forge answered {status}: {said}", where, status, headers)
    immutable = "immutable release" in said.lower()
    return Rejected(
        f"the forge refused it ({status}): {said}",
        where=where,
        next_step=advice.RELEASE_NEW_VERSION(why=_IMMUTABLE) if immutable else advice.FIX_WHAT_SERVER_NAMES(),
        retryable=not immutable,
    )


def _fault(what: str, where: str, status: int, headers: Mapping[str, str]) -> TransientError:
    """The error for a 5xx. One that asks for a wait may have done something before it, so it is no rate limit."""
    asked = requested_wait(headers)
    step = advice.CHECK_STATUS_PAGE(whose="forge")
    error = TransientError(what, where=where, wait=asked or 0.0, otherwise=step)
    error.cause = Cause.LATER if is_busy(status, asked) else Cause.LOST
    return error


def words(data: Any, token: Secret) -> str:
    """The forge's own message and its ``errors``, on one clean line."""
    if not isinstance(data, dict):
        return "no reason given"
    parts = [str(data.get("message") or data.get("data") or "no reason given")]
    errors = data.get("errors")
    for error in errors if isinstance(errors, list) else []:
        if isinstance(error, dict):
            parts.append(
                " ".join(str(error[key]) for key in ("resource", "field", "code", "message") if error.get(key))
            )
        else:
            parts.append(str(error))
    said = "; ".join(part for part in parts if part)
    return clean(masker([token])(said))


def _is_limit(status: int, said: str, headers: Mapping[str, str]) -> bool:
    return (
        status == HTTPStatus.TOO_MANY_REQUESTS
        or "retry-after" in headers
        or headers.get("x-ratelimit-remaining") == "0"
        or "rate limit" in said.lower()
    )


def _wait(headers: Mapping[str, str]) -> float:
    """Seconds to wait: as the answer says, at most an hour; a minute if it does not say.

    ``x-ratelimit-reset`` is the Unix time at which GitHub's limit ends, by GitHub's clock. This machine's may be wrong.
    """
    reset = headers.get("x-ratelimit-reset", "")
    theirs = read_date(headers.get("date", ""))
    now = theirs.timestamp() if theirs is not None else time.time()
    default = float(reset) - now if re.fullmatch(r"[0-9]{1,12}", reset) else _DEFAULT
    return time_to_wait(requested_wait(headers), default=default, most=_MOST)
