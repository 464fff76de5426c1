"""The floor under the coverage of the packages that decide."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

from tools.coverage_floor import FLOOR, HELD, percent_by_room, too_low

PACKAGE = Path(__file__).parents[2] / "src" / "unmoor"


def report(**rooms: int) -> str:
    """Return a report with one module for each package. The number says how many of 80 lines and 20 branches run."""
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
    """The percentage is that of lines and branches together."""
    assert percent_by_room(report(core=90, render=40)) == {"core": 90.0, "render": 40.0}


def test_only_rooms_that_decide_have_a_floor() -> None:
    """Coverage at the floor is enough. A package without data counts as not covered."""
    whole = dict.fromkeys(HELD, int(FLOOR))
    assert too_low(percent_by_room(report(**whole, render=0))) == []
    assert too_low(percent_by_room(report(**{**whole, "dists": 94}))) == ["dists"]
    del whole["core"]
    assert too_low(percent_by_room(report(**whole))) == ["core"]


def test_what_is_measured_is_what_is_held() -> None:
    """Coverage measures the packages that have a floor, and no others."""
    settings = tomllib.loads((PACKAGE.parents[1] / "pyproject.toml").read_text("utf-8"))
    assert settings["tool"]["coverage"]["run"]["source_pkgs"] == [f"unmoor.{room}" for room in HELD]


def test_the_rooms_that_are_held_exist() -> None:
    """After a package is renamed, its floor must still apply to something."""
    assert [room for room in HELD if not (PACKAGE / room / "__init__.py").is_file()] == []
