"""The floor under the coverage of rooms that decide."""

from __future__ import annotations

import json
from pathlib import Path

from tools.coverage_floor import FLOOR, HELD, percent_by_room, too_low

PACKAGE = Path(__file__).parents[2] / "src" / "unmoor"


def report(**rooms: int) -> str:
    """A report of one module a room, of 80 lines and 20 branches, of which so many run."""
    return json.dumps(
        {
            "files": {
                f"src/unmoor/{room}/one.py": {
                    "summary": {
                        "covered_lines": min(80, count),
                        "num_statements": 80,
                        "covered_branches": max(0, count - 80),
                        "num_branches": 20,
                    }
                }
                for room, count in rooms.items()
            }
        }
    )


def test_lines_and_branches_count_alike() -> None:
    """The percentage is that of both together."""
    assert percent_by_room(report(core=90, render=40)) == {"core": 90.0, "render": 40.0}


def test_only_rooms_that_decide_have_a_floor() -> None:
    """At the floor is enough, below it is not, and a room that no data is about counts as not covered."""
    whole = dict.fromkeys(HELD, int(FLOOR))
    assert too_low(percent_by_room(report(**whole, render=0))) == []
    assert too_low(percent_by_room(report(**{**whole, "dists": 94}))) == ["dists"]
    del whole["core"]
    assert too_low(percent_by_room(report(**whole))) == ["core"]


def test_the_rooms_that_are_held_exist() -> None:
    """A room that was renamed would else be a floor under nothing."""
    assert [room for room in HELD if not (PACKAGE / room / "__init__.py").is_file()] == []
