"""Faults of local servers for a while: plans of one injection, and servers of one thread behind the fault layer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from unmoor.rehearsal.faults import control
from unmoor.rehearsal.faults.counting import Counting
from unmoor.rehearsal.faults.layer import FaultLayer
from unmoor.rehearsal.shared.http import Logged

if TYPE_CHECKING:
    from starlette.types import ASGIApp

ONCE = frozenset({"busy", "lost-reply", "reset-during"})
"""The faults that requests of tests meet once; they meet others until the end."""


def text_of(fault: str, service: str, at: str = "*", *, nth: int = 1) -> str:
    """Return an injection from the nth request of an address on."""
    return f"{fault}@{service}:{at}#{nth}{'' if fault in ONCE else 'x0'}"


@contextmanager
def failing(world: Path, fault: str, service: str, at: str = "*", *, nth: int = 1) -> Iterator[str]:
    """Let the nth request of an address fail, and the later ones unless the fault is met once. Gives its text."""
    text = text_of(fault, service, at, nth=nth)
    control.inject(world, text)
    try:
        yield text
    finally:
        control.clear(world)


def behind_faults(app: ASGIApp, *, service: str, folder: Path, log: int) -> ASGIApp:
    """Return a server as a world has it: its faults, whose plan is in the folder, its log, the server itself."""
    counting = Counting(folder)
    return FaultLayer(
        app, service=service, counting=counting, logged=lambda inner: Logged(inner, server=service, log=log)
    )
