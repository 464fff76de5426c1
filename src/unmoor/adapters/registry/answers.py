"""Read a registry's answers: the errors in them, which ones mean "absent", and when to retry."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

import msgspec

from unmoor import advice
from unmoor.adapters.http.retry_after import Retries, ServerBusy, is_busy, requested_wait, time_to_wait
from unmoor.adapters.http.session import Response
from unmoor.adapters.http.urls import without_query
from unmoor.errors import Cause, Rejected, UnmoorError
from unmoor.ports.clock import Clock
from unmoor.ports.failure import failure
from unmoor.util.decode import decode_json
from unmoor.util.text import clean
from unmoor.util.values import replace

_PATIENCE = 120.0
_READ = Retries(patience=_PATIENCE)
_WRITE = replace(_READ, writes=True)
_WRITE_ONCE = replace(_WRITE, pauses=())
# Seconds to wait for a busy registry: if it does not say how many, and at least.
_DEFAULT, _LEAST = 5.0, 1.0
_ABSENT = frozenset({"MANIFEST_UNKNOWN", "NAME_UNKNOWN", "BLOB_UNKNOWN", "NOT_FOUND", "NAME_INVALID"})
_READ_LIMIT = 20_000


class _Error(msgspec.Struct, frozen=True):
    code: str = ""
    message: str = ""


class _Errors(msgspec.Struct, frozen=True):
    errors: tuple[_Error, ...]


class RegistryBusy(ServerBusy):
    """The registry asked for more or longer waits than the limits allow."""


def errors_of(answer: Response) -> tuple[tuple[str, str], ...]:
    """Return the codes and messages of the specification's error document, empty if the answer is not one."""
    try:
        document = decode_json(answer.body[:_READ_LIMIT], _Errors)
    except ValueError:
        return ()
    return tuple((clean(each.code, 60), clean(each.message)) for each in document.errors)


def describe_errors(answer: Response) -> str:
    """Return the status and the registry's reason for it, in one clean line."""
    words = "; ".join(": ".join(filter(None, pair)) for pair in errors_of(answer))
    if not words and answer.content_type in {"text/plain", "application/json"}:
        words = clean(answer.body[:_READ_LIMIT].decode("utf-8", "replace"))
    return clean(f"{answer.status} {words or answer.reason or 'no reason given'}")


def is_absent(answer: Response) -> bool:
    """Whether a 404 comes from a registry, and not from some other server at that address."""
    codes = {code for code, _ in errors_of(answer)}
    return bool(codes & _ABSENT) or "Docker-Distribution-Api-Version" in answer.headers


def unexpected_answer(answer: Response) -> UnmoorError:
    """Return the error for an answer that leaves the question open."""
    failed = answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return failure(
        Cause.LOST if failed else Cause.NONSENSE,
        f"the registry answered {describe_errors(answer)}",
        where=without_query(answer.url),
        wait=(requested_wait(answer.headers) or 0.0) if failed else 0.0,
        otherwise=advice.CHECK_STATUS_PAGE(whose="registry"),
    )


def refusal(answer: Response, what: str, *, where: str, page: str) -> UnmoorError:
    """Return the error for a refused write. ``page`` is the address of the package's settings."""
    if answer.status < HTTPStatus.BAD_REQUEST:
        return unexpected_answer(answer)
    unsupported = any(code == "UNSUPPORTED" for code, _ in errors_of(answer))
    never = unsupported or answer.status == HTTPStatus.METHOD_NOT_ALLOWED
    return Rejected(
        f"{what}: the registry answered {describe_errors(answer)}",
        where=where,
        next_step=advice.SEE_REGISTRY_PAGE(page=page) if never else advice.FIX_WHAT_SERVER_NAMES(),
        retryable=not never,
    )


def with_patience(method: str, send: Callable[[], Response], clock: Clock | None) -> Response:
    """Send a request. If the registry is busy, wait as long as it asks for, at most two minutes in total.

    Also repeats it up to twice after a fault (5xx, a broken connection), except for a PUT. Without a clock, nothing is
    repeated. Raises `Unknown`, and `TryLater` if the registry puts off a request that changes something.
    """

    def once() -> Response:
        answer = send()
        requested = requested_wait(answer.headers)
        if is_busy(answer.status, requested):
            raise _busy(answer, requested)
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise unexpected_answer(answer)
        return answer

    return (_READ if method in {"GET", "HEAD"} else _WRITE_ONCE if method == "PUT" else _WRITE).call(once, clock)


def _busy(answer: Response, requested: float | None) -> RegistryBusy:
    return RegistryBusy(
        f"the registry is busy: {describe_errors(answer)}",
        where=without_query(answer.url),
        wait=time_to_wait(requested, default=_DEFAULT, least=_LEAST),
    )
