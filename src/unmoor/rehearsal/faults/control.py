"""The files between whoever breaks a world and its servers: the plan in, and what was met out.

The servers read the plan when its file has changed, and count every route from nothing then. Each thing that was met is
one line of JSON, appended at once.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec

from unmoor.filesystem.files import read_regular, write_atomic
from unmoor.filesystem.safe_folder import remove
from unmoor.rehearsal.faults import catalogue
from unmoor.rehearsal.faults.injection import Plan
from unmoor.util.decode import decode_json

PLAN = "faults.json"
MET = "met.jsonl"
_PLAN_LIMIT = 4 << 20
_MET_LIMIT = 256 << 20


class Met(msgspec.Struct, frozen=True, kw_only=True):
    """An injection that was met: in which round, at which request of the route, and when in Unix time.

    ``effect`` is whether the work of the request was done, and ``status`` what its server answered, whatever the client
    saw; 0 if the server was not asked. ``request`` is ``METHOD PATH``, or the line of the journal.
    """

    round: str
    injection: str
    number: int
    request: str
    at: float
    effect: bool
    status: int = 0


def write_plan(world: Path, plan: Plan) -> None:
    """Have a plan from now on. Raises `ConfigError`, before anything is written, for a fault or an address unknown."""
    for each in plan.injections:
        catalogue.check(each)
    write_atomic(world / PLAN, plan.encode(), sync=False)


def inject(world: Path, *texts: str, round: str = "", tag: str = "") -> None:  # noqa: A002 - its name in the plan
    """Write a plan with injections as texts. Raises `ConfigError`."""
    write_plan(world, Plan(round=round, injections=tuple(map(catalogue.read, texts)), tag=tag))


def clear(world: Path) -> None:
    """Have no plan any more."""
    remove(world / PLAN)


def read_plan(world: Path) -> Plan:
    """Return the plan, an empty one if there is none. Raises `ValueError` for a broken file, and `ConfigError`."""
    try:
        data = read_regular(world / PLAN, _PLAN_LIMIT)
    except FileNotFoundError:
        return Plan()
    plan = Plan.decode(data)
    for each in plan.injections:
        catalogue.check(each)
    return plan


def met(world: Path, round: str | None = None) -> tuple[Met, ...]:  # noqa: A002 - its name in the plan
    """Return what was met, in order; of one round, if it is named. A last line that a kill cut short is left out."""
    data = b""
    with contextlib.suppress(FileNotFoundError):
        data = read_regular(world / MET, _MET_LIMIT)
    lines = data.split(b"\n")[:-1]
    return tuple(each for line in lines if (each := decode_json(line, Met)).round == round or round is None)
