"""I6: every run ends within its deadline, with bounded tries, and leaves a server alone that asks to wait.

A try whose answer was lost may have succeeded, so nothing is sent a second time before a look.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from http import HTTPStatus

from unmoor.rehearsal.invariants.evidence import Finding
from unmoor.rehearsal.invariants.facts import Facts
from unmoor.rehearsal.invariants.request_log import LoggedRequest
from unmoor.rehearsal.invariants.stores import INDEX, STAGING

TRIES = 6
"""Requests of a run that ask for the same change. A run sends fewer: it looks first, and tries a few times."""
ASKED_TO_WAIT = 2
"""Answers of a run to the same request that ask to wait: the first, and one more after the wait."""
SLACK = 0.1
"""Seconds by which clocks and the writing of the log may differ."""
_MANY = frozenset({"sigstore", "issuer", "storage"})
"""Servers at which every signature is the same request."""


def broken_bounds(facts: Facts) -> Iterator[Finding]:
    """Look at the seconds of each run, and at its requests that write."""
    for number, run in enumerate(facts.evidence.runs, 1):
        where = f"run {number}"
        if run.seconds > run.deadline:
            yield Finding(f"it took {run.seconds:.1f} s; its deadline is {run.deadline:.1f} s", where)
        writes = [each for each in facts.requests_of(run) if each.writes and each.server not in _MANY]
        for key, count in Counter(_key(each) for each in writes if _names_one(each)).items():
            if count > TRIES:
                yield Finding(f"{' '.join(key)} was requested {count} times; at most {TRIES} are fine", where)
        yield from _hammering(writes, where)
        if not run.beside:
            yield from _blind(facts.requests_of(run))


def _key(request: LoggedRequest) -> tuple[str, ...]:
    parts = (request.server, request.host, request.method, request.path, request.file)
    return tuple(each for each in parts if each)


def _names_one(request: LoggedRequest) -> bool:
    """Whether equal requests ask for the same: each upload of a blob or a file begins with the same words."""
    return not request.path.endswith("/blobs/uploads/") and (
        bool(request.file) or (request.server not in {INDEX, STAGING} and not request.path.endswith("/assets"))
    )


def _blind(requests: Sequence[LoggedRequest]) -> Iterator[Finding]:
    """What was made a second time, although nothing was read from its server since it was made."""
    made: set[tuple[str, ...]] = set()
    for request in requests:
        if request.method == "GET" and (request.done or request.status == HTTPStatus.NOT_FOUND):
            made = {key for key in made if key[0] != request.server}
        elif request.method == "POST" and request.done and (request.file or request.path.endswith("/releases")):
            key = (request.server, *_key(request))
            if key in made:
                yield Finding(f"{' '.join(key[1:])} was made before, and nobody looked", request.where)
            made.add(key)


def _hammering(writes: Sequence[LoggedRequest], where: str) -> Iterator[Finding]:
    asked = [each for each in writes if each.retry_after or each.status == HTTPStatus.TOO_MANY_REQUESTS]
    for key, count in Counter(_key(each) for each in asked).items():
        if count > ASKED_TO_WAIT:
            yield Finding(f"{' '.join(key)} was asked to wait {count} times; at most {ASKED_TO_WAIT} are fine", where)
    for refused in asked:
        until = refused.at + (refused.retry_after or 0) - SLACK
        early = (each for each in writes if each.start > refused.start and _is_again(refused, each) and each.at < until)
        if (first := next(early, None)) is not None:
            waited = first.at - refused.at
            yield Finding(f"came {waited:.1f} s after being asked to wait {refused.retry_after:g} s", first.where)


def _is_again(refused: LoggedRequest, later: LoggedRequest) -> bool:
    """Whether a request repeats a refused one. An index gets one file at a time, so another file does, too."""
    same = (refused.server, refused.host, refused.method, refused.path)
    if same != (later.server, later.host, later.method, later.path):
        return False
    return refused.server in {INDEX, STAGING} or refused.file == later.file
