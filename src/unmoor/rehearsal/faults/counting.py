"""Which injections a request meets: the plan as the servers have it, read when its file changes, and their counts.

Everything here runs in the servers' one event loop, so a request has its number before another one arrives.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import msgspec

from unmoor.errors import ConfigError
from unmoor.filesystem.safe_folder import open_in_place
from unmoor.rehearsal.faults import control
from unmoor.rehearsal.faults.catalogue import FaultKind, fault_of
from unmoor.rehearsal.faults.control import Met
from unmoor.rehearsal.faults.injection import EVERY, Injected, Plan
from unmoor.rehearsal.faults.memory import Memory
from unmoor.rehearsal.faults.routes import has_path, route_of
from unmoor.rehearsal.shared.store import append_line


class Meeting(msgspec.Struct, frozen=True, kw_only=True):
    """An injection, and the request that meets it: its number among those of the route, and ``METHOD PATH``."""

    injected: Injected
    number: int
    request: str


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """A request: what it meets, in the order of the plan, and where to remember its answer for a later one."""

    meetings: tuple[Meeting, ...] = ()
    remembers: bool = False


NOTHING = Arrival()


class PlanBroken(Exception):
    """The plan's file cannot be used; the text says why."""


class Counting:
    """The plan of a world's folder, and how many requests of each route there were since it was written."""

    def __init__(self, world: Path, *, starter: int = 0) -> None:
        """``starter`` is the process that starts the clients which may be killed; 0 for none."""
        self.world = world
        self.starter = starter
        self.plan = Plan()
        self.memory = Memory()
        self._path = world / control.PLAN
        self._seen: object = None
        self._why = ""
        self._counts: Counter[tuple[str, str]] = Counter()
        self._by_service: Mapping[str, tuple[Injected, ...]] = {}
        self._handle: int | None = None

    def arrive(self, service: str, method: str, path: str) -> Arrival:
        """Count a request. Raises `PlanBroken`, since a plan is never ignored."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            seen = None
        else:
            seen = (found.st_mtime_ns, found.st_size, found.st_ino)
        if seen != self._seen:
            self._read(seen)
        if not self._by_service and not self._why:
            return NOTHING
        if self._why:
            raise PlanBroken(self._why)
        injections = self._by_service.get(service)
        return self._count(service, injections, method, path) if injections else NOTHING

    def _read(self, seen: object) -> None:
        self._seen, self._why, self.plan = seen, "", Plan()
        self._counts.clear()
        self.memory.clear()
        try:
            self.plan = control.read_plan(self.world)
        except (ValueError, ConfigError, OSError) as error:
            self._why = f"{control.PLAN}: {error}"
        services = {each.service for each in self.plan.injections}
        self._by_service = {
            name: tuple(each for each in self.plan.injections if each.service == name) for name in services
        }

    def _count(self, service: str, injections: tuple[Injected, ...], method: str, path: str) -> Arrival:
        route = route_of(service, method, path)
        numbers = {}
        named = {each.route for each in injections if has_path(each.route, method, path)}
        for each in (route, EVERY, *named):
            self._counts[service, each] += 1
            numbers[each] = self._counts[service, each]
        here = [each for each in injections if each.route in numbers]
        request = f"{method} {path[:500]}"
        return Arrival(
            meetings=tuple(
                Meeting(injected=each, number=numbers[each.route], request=request)
                for each in here
                if each.meets(numbers[each.route])
            ),
            remembers=any(fault_of(each).kind is FaultKind.READ for each in here),
        )

    def record(self, meeting: Meeting, *, effect: bool, status: int = 0) -> None:
        """Write down that an injection was met."""
        if self._handle is None:
            path = self.world / control.MET
            self._handle = open_in_place(path, flags=os.O_WRONLY | os.O_APPEND, mode=0o600)
        met = Met(
            round=self.plan.round,
            injection=str(meeting.injected),
            number=meeting.number,
            request=meeting.request,
            at=time.time(),
            effect=effect,
            status=status,
        )
        append_line(self._handle, msgspec.to_builtins(met))
