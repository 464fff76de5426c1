"""Lines over time: where their points are, where they break, and what their table says."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from unmoor.render.html.chart import Figure, Point, draw

DAY = date(2026, 11, 1)


def chart(*values: tuple[int, float], limit: float | None = None, is_share: bool = False) -> Figure:
    """A chart of values by day."""
    points = [Point(day=DAY + timedelta(days=day), value=value) for day, value in values]
    return draw(
        "A title", points, write=lambda value: f"{value:g}", head=("day", "value"), limit=limit, is_share=is_share
    )


@pytest.mark.parametrize(
    ("values", "line", "top"),
    [
        pytest.param(((0, 0.0), (5, 5.0), (10, 10.0)), "M0 200L500 100L1000 0", "10", id="rising"),
        pytest.param(((0, 7.0),), "M500 25", "8", id="one"),
        pytest.param(((0, 0.0), (1, 0.0)), "M0 200L1000 200", "1", id="nothing"),
        pytest.param(((0, 1.0), (1, 1.0), (40, 1.0)), "M0 0L25 0M1000 0", "1", id="a gap"),
        pytest.param(((0, 0.011), (1, 0.012)), "M0 53L1000 40", "0.015", id="small"),
    ],
)
def test_where_the_points_are(values: tuple[tuple[int, float], ...], line: str, top: str) -> None:
    """Values begin at 0, and there is no line over a time of which nothing is known."""
    drawn = chart(*values)
    assert (drawn.line, drawn.top, drawn.bottom) == (line, top, "0")
    assert drawn.dots.count("M") == len(values)


@pytest.mark.parametrize(
    ("lowest", "bottom"), [(0.99, "0.8"), (0.95, "0.8"), (0.7, "0.6"), (0.02, "0"), (0.0, "0")], ids=str
)
def test_a_share_begins_below_its_values(lowest: float, bottom: str) -> None:
    """Shares near 100 % would be one flat line otherwise; the limit is always on the chart."""
    drawn = chart((0, 1.0), (1, lowest), limit=0.9, is_share=True)
    assert (drawn.top, drawn.bottom) == ("1", bottom)
    assert drawn.limit.startswith("M0 ")


def test_the_table_has_every_value_newest_first() -> None:
    """What the picture shows can be read, too."""
    drawn = chart((0, 1.0), (1, 2.0))
    assert drawn.rows == (("2026-11-02", "2"), ("2026-11-01", "1"))
    assert drawn.spoken.startswith("A title: from 1 on 2026-11-01 to 2 on 2026-11-02, lowest 1, highest 2.")
