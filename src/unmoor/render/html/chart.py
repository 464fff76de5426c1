"""A line over time as the path of an SVG. Texts stay outside of it, since they would shrink with the picture."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import date
from itertools import pairwise
from typing import Final

import msgspec

WIDTH: Final = 1000
HEIGHT: Final = 200
_STEPS = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """A value of a day or of the week that begins on it, and the other cells of its row in the table."""

    day: date
    value: float
    cells: tuple[str, ...] = ()


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A chart and the table beside it, as a template prints them.

    ``line``, ``dots`` and ``limit`` are paths; ``limit`` is empty if there is none. ``rows`` begin with the newest.
    """

    title: str
    note: str
    spoken: str
    line: str
    dots: str
    limit: str
    top: str
    bottom: str
    first: str
    last: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def draw(
    title: str,
    points: Sequence[Point],
    *,
    write: Callable[[float], str],
    head: tuple[str, ...],
    limit: float | None = None,
    is_share: bool = False,
    note: str = "",
    join_days: int = 14,
) -> Figure:
    """Draw a line through values, at least one, in the order of time; ``write`` writes a value with its unit.

    Between values that are more than ``join_days`` apart there is a gap: what was not measured is unknown. A share
    begins at the highest ten percent below all values, everything else at 0.
    """
    values = [point.value for point in points]
    bounds = [*values, *([limit] if limit is not None else [])]
    low = max(0.0, math.floor(min(bounds) * 10 - 0.5) / 10) if is_share else 0.0
    high = 1.0 if is_share else _round_up(max(bounds))
    first, last = points[0].day, points[-1].day
    days = (last - first).days

    def height(value: float) -> int:
        return round(HEIGHT * (1 - (value - low) / (high - low)))

    places = [
        (round(WIDTH * (point.day - first).days / days) if days else WIDTH // 2, height(point.value))
        for point in points
    ]
    joined = [
        False,
        *((after.day - before.day).days <= join_days for before, after in pairwise(points)),
    ]
    return Figure(
        title=title,
        note=note,
        spoken=f"{title}: from {write(values[0])} on {first} to {write(values[-1])} on {last}, "
        f"lowest {write(min(values))}, highest {write(max(values))}. The table beside it has every value.",
        line="".join(f"{'L' if join else 'M'}{x} {y}" for join, (x, y) in zip(joined, places, strict=True)),
        dots="".join(f"M{x} {y}h0" for x, y in places),
        limit="" if limit is None else f"M0 {height(limit)}H{WIDTH}",
        top=write(high),
        bottom=write(low),
        first=str(first),
        last=str(last) if days else "",
        head=head,
        rows=tuple((str(point.day), *(point.cells or (write(point.value),))) for point in reversed(points)),
    )


def _round_up(value: float) -> float:
    """The next round number at or above a value; 1 for 0."""
    if value <= 0:
        return 1.0
    unit = 10.0 ** math.floor(math.log10(value))
    return next(step * unit for step in (*_STEPS, 20.0) if step * unit >= value)
