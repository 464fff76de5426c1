"""Says how much of each room the tests run, from ``coverage json`` on stdin; fails if a room that decides is too low.

Lines and branches count alike, as in coverage's own totals.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import PurePath

FLOOR = 95.0
"""Percent of lines and branches that the tests of a room that decides run."""
HELD = ("core", "dists", "images", "publish", "versioning")


def percent_by_room(report: str) -> dict[str, float]:
    """The percentage of each room, by its folder in the package; the modules at the top are one room."""
    covered: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for name, file in json.loads(report)["files"].items():
        parts = PurePath(name).parts
        (_, room, *rest) = parts[parts.index("unmoor") :]
        summary = file["summary"]
        room = room if rest else "the top"
        covered[room] += summary["covered_lines"] + summary["covered_branches"]
        total[room] += summary["num_statements"] + summary["num_branches"]
    return {room: 100 * covered[room] / count for room, count in total.items() if count}


def too_low(rooms: dict[str, float]) -> list[str]:
    """The rooms that are held and lie under the floor; one that is not measured at all lies there, too."""
    return [room for room in HELD if rooms.get(room, 0.0) < FLOOR]


def main() -> int:
    """Print a line for each room; 1 if one is too low."""
    rooms = percent_by_room(sys.stdin.read())
    for room in sorted(rooms.keys() | set(HELD)):
        floor = f"  (at least {FLOOR:.0f} %)" if room in HELD else ""
        sys.stdout.write(f"{room:16} {rooms.get(room, 0.0):5.1f} %{floor}\n")
    if low := too_low(rooms):
        sys.stderr.write(f"coverage: too low: {', '.join(low)}; `.venv/bin/coverage report -m` names the lines\n")
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
