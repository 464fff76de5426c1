"""What is to happen, and where: injections, kills, and the plan of a round. Each has a text form that reads back equal.

::

    FAULT@SERVICE:METHOD ROUTE#NTH[xTIMES]         lost-reply@pypi:POST /legacy/#2
    SIGNAL@SERVICE:METHOD ROUTE#NTH:before|after   KILL@pypi:POST /legacy/#1:before
    SIGNAL@journal:STAGE/KIND#NTH                  KILL@journal:upload/made#1

Instead of ``METHOD ROUTE``, ``*`` counts all requests of a service, and ``METHOD =/PATH`` those of one path, or of all
that begin so if a ``*`` ends it. A fault of the remote may stand at a line of the journal, too, and one of the project
or the checkout is at ``start:WHAT#1``.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TypeAlias

import msgspec

JOURNAL = "journal"
"""The service of an address that is a line of the journal; its route is ``STAGE/KIND``."""
START = "start"
"""The service of an address that is the time before the first request of a run."""
EVERY = "*"
"""The route of an address that counts all requests of a service."""
CLIENT_PID = "client.pid"
"""The file in a world's folder to which a client has written its process id before its first request."""

_MOST = 999_999
_TEXT = re.compile(
    r"(?P<name>[A-Za-z0-9-]{1,40})@(?P<service>[a-z0-9]{1,40}):(?P<route>[^#\x00-\x1f\x7f]{1,200})"
    r"#(?P<nth>[1-9][0-9]{0,5})(?:x(?P<times>0|[2-9]|[1-9][0-9]{1,5}))?(?::(?P<when>before|after))?"
)


class When(StrEnum):
    """Whether the client is killed before the server does a request's work, or after it and before the answer."""

    AT = ""
    BEFORE = "before"
    AFTER = "after"


class Injection(msgspec.Struct, frozen=True, kw_only=True):
    """A fault and its address. It meets the nth request of that route, from 1, and ``times`` in a row.

    With ``times`` 0 it meets every one from there on.
    """

    fault: str
    service: str
    route: str
    nth: int = 1
    times: int = 1

    def __str__(self) -> str:
        """Return the text form."""
        times = "" if self.times == 1 else f"x{self.times}"
        return f"{self.fault}@{self.service}:{self.route}#{self.nth}{times}"

    def meets(self, number: int) -> bool:
        """Whether it meets the request with this number, from 1, of its route."""
        return number >= self.nth and (not self.times or number < self.nth + self.times)


class Signal(StrEnum):
    """A signal that ends a client, by the name that a kill has."""

    KILL = "KILL"
    TERM = "TERM"
    INT = "INT"


class Kill(msgspec.Struct, frozen=True, kw_only=True):
    """A signal for the client, and its address: a request, before or after its work, or a line of the journal."""

    signal: Signal
    service: str
    route: str
    nth: int = 1
    when: When = When.AT

    @property
    def fault(self) -> str:
        """The name of the fault, which is that of the signal."""
        return str(self.signal)

    def __str__(self) -> str:
        """Return the text form."""
        return f"{self.signal}@{self.service}:{self.route}#{self.nth}{':' if self.when else ''}{self.when}"

    def meets(self, number: int) -> bool:
        """Whether it meets the request with this number, from 1, of its route."""
        return number == self.nth


Injected: TypeAlias = Injection | Kill


def parse(text: str) -> Injected:
    """Read the text form. Raises `ValueError`; `catalogue.check` says whether there are such a fault and address."""
    found = _TEXT.fullmatch(text)
    if found is None:
        msg = f"{text[:200]!r} is no injection"
        raise ValueError(msg)
    name, service, route, nth = found["name"], found["service"], found["route"], int(found["nth"])
    if name in Signal.__members__:
        when = When(found["when"] or "")
        if found["times"] or (when is When.AT) is not (service == JOURNAL):
            msg = f"{text!r}: a kill at a request ends in :before or :after, one at the journal in its number"
            raise ValueError(msg)
        return Kill(signal=Signal(name), service=service, route=route, nth=nth, when=when)
    if found["when"]:
        msg = f"{text!r}: only a kill is before or after a request"
        raise ValueError(msg)
    return Injection(fault=name, service=service, route=route, nth=nth, times=int(found["times"] or 1))


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is to happen in a round, in no order. ``round`` names it in the record of what was met.

    ``tag`` is the one that faults of the remote change. In its file each injection is a text.
    """

    round: str = ""
    injections: tuple[Injected, ...] = ()
    tag: str = ""

    def encode(self) -> bytes:
        """Return the plan as JSON."""
        texts = tuple(map(str, self.injections))
        kept = _Kept(round=self.round, injections=texts, tag=self.tag)
        return msgspec.json.format(msgspec.json.encode(kept)) + b"\n"

    @classmethod
    def decode(cls, data: bytes) -> Plan:
        """Read a plan. Raises `ValueError`."""
        from unmoor.util.decode import decode_json

        kept = decode_json(data, _Kept)
        return cls(round=kept.round, injections=tuple(map(parse, kept.injections)), tag=kept.tag)


class _Kept(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A plan as its file has it."""

    round: str = ""
    injections: tuple[str, ...] = ()
    tag: str = ""
