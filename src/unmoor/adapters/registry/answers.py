"""What registries answer: their own words, which answers mean that there is nothing, and when to ask again."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

import msgspec

from unmoor.adapters.http.retry_after import Retries, ServerBusy, is_busy, requested_wait, time_to_wait
from unmoor.adapters.http.session import Response
from unmoor.adapters.http.urls import without_query
from unmoor.errors import Unknown
from unmoor.ports.clock import Clock
from unmoor.util.decode import decode_json
from unmoor.util.text import clean

_PATIENCE = 120.0
_REPEATABLE = Retries(patience=_PATIENCE)
_ONCE = Retries(pauses=(), patience=_PATIENCE)
# Seconds that a busy registry is given if it does not say how many, and at least.
_DEFAULT, _LEAST = 5.0, 1.0
_ABSENT = frozenset({"MANIFEST_UNKNOWN", "NAME_UNKNOWN", "BLOB_UNKNOWN", "NOT_FOUND", "NAME_INVALID"})
_LOOKED_AT = 20_000


class _Said(msgspec.Struct, frozen=True):
    code: str = ""
    message: str = ""


class _Errors(msgspec.Struct, frozen=True):
    errors: tuple[_Said, ...]


class RegistryBusy(ServerBusy):
    """It asked to come back later, more often or for longer than can be waited."""


def errors_of(answer: Response) -> tuple[tuple[str, str], ...]:
    """The codes and messages of the specification's error document, empty where it is none."""
    try:
        told = decode_json(answer.body[:_LOOKED_AT], _Errors)
    except ValueError:
        return ()
    return tuple((clean(each.code, 60), clean(each.message)) for each in told.errors)


def describe_errors(answer: Response) -> str:
    """What a registry says about an answer, in one clean line."""
    words = "; ".join(": ".join(filter(None, pair)) for pair in errors_of(answer))
    if not words and answer.content_type in {"text/plain", "application/json"}:
        words = clean(answer.body[:_LOOKED_AT].decode("utf-8", "replace"))
    return clean(f"{answer.status} {words or answer.reason or 'no reason given'}")


def is_absent(answer: Response) -> bool:
    """Whether an answer of 404 comes from a registry, and not from some other server at that address."""
    codes = {code for code, _ in errors_of(answer)}
    return bool(codes & _ABSENT) or "Docker-Distribution-Api-Version" in answer.headers


def unexpected_answer(answer: Response) -> Unknown:
    """The error for an answer that tells nothing about what was asked."""
    return Unknown(
        f"the registry answered {describe_errors(answer)}",
        where=without_query(answer.url),
        otherwise="look at the registry's status page",
    )


def with_patience(send: Callable[[], Response], clock: Clock | None, *, again: bool) -> Response:
    """Send, and wait for a registry that is busy, as long as it asks for and at most two minutes in all.

    ``again``: what was asked may be asked again after a fault (5xx, a broken exchange), twice,
    soon. Without a clock nothing is. Raises `Unknown`.
    """

    def once() -> Response:
        answer = send()
        asked = requested_wait(answer.headers)
        if is_busy(answer.status, asked):
            raise _busy(answer, asked)
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise unexpected_answer(answer)
        return answer

    return (_REPEATABLE if again else _ONCE).call(once, clock)


def _busy(answer: Response, asked: float | None) -> RegistryBusy:
    return RegistryBusy(
        f"the registry is busy: {describe_errors(answer)}",
        where=without_query(answer.url),
        wait=time_to_wait(asked, default=_DEFAULT, least=_LEAST),
    )
