"""The addresses at which something can happen to a release: its requests by route, and the lines of its journal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TypeVar

import msgspec

from unmoor.core.outcome import Planned
from unmoor.rehearsal.faults.injection import JOURNAL
from unmoor.rehearsal.faults.routes import route_of
from unmoor.util.decode import decode_json

_RUN = "run"

T = TypeVar("T")


class _Request(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a line in the log of requests that an address is made of."""

    server: str
    method: str
    path: str


class _Line(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a line in the journal that an address is made of."""

    event: str
    stage: str = ""
    outcome: str = ""


class Addresses(msgspec.Struct, frozen=True, kw_only=True):
    """How often each address was met, by service and route. The service of the journal's lines is ``journal``."""

    counts: Mapping[tuple[str, str], int]

    def routes(self, *, journal: bool) -> tuple[tuple[str, str], ...]:
        """Return the addresses of requests, or of lines of the journal, sorted: the order of a run is chance."""
        return tuple(sorted(each for each in self.counts if (each[0] == JOURNAL) is journal))

    def joined(self, others: Addresses) -> Addresses:
        """Return the addresses of two runs of one release: the larger number of each."""
        every = self.counts.keys() | others.counts.keys()
        return Addresses(
            counts={each: max(self.counts.get(each, 0), others.counts.get(each, 0)) for each in sorted(every)}
        )


def addresses_of(requests: bytes, journal: bytes) -> Addresses:
    """Read the addresses from a log of requests and a journal. A line that a kill cut short is left out."""
    counted: Counter[tuple[str, str]] = Counter()
    for request in _read(requests, _Request):
        counted[request.server, route_of(request.server, request.method, request.path)] += 1
    for line in _read(journal, _Line):
        # What the build in advance only planned, a release does.
        if (route := line_route(line)) and line.outcome != Planned.state:
            counted[JOURNAL, route] += 1
    return Addresses(counts=dict(sorted(counted.items())))


def line_route(line: _Line) -> str:
    """Return the route of a line of the journal, ``STAGE/KIND``; empty for a line that has none.

    A kind is ``begins``, or how a stage ended, such as ``made``. The lines of the run itself have the stage ``run``.
    """
    if line.event in {"run begins", "run ended"}:
        return f"{_RUN}/{line.event.removeprefix('run ')}"
    return f"{line.stage}/{line.outcome or line.event}" if line.stage else ""


def route_of_line(line: bytes) -> str:
    """Return the route of a line of the journal as it is written; empty for one that has none or cannot be read."""
    return next((line_route(each) for each in _read(line, _Line)), "")


def _read(data: bytes, kind: type[T]) -> Iterable[T]:
    for line in data.splitlines():
        try:
            yield decode_json(line, kind)
        except ValueError:
            continue
