"""Print the coverage of each package of unmoor, from ``coverage json`` on stdin. Fail if one is below its floor.

Lines and branches count equally, as in the totals of coverage.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import PurePath

FLOOR = 95.0
"""The lowest coverage of lines and branches for the packages in `HELD`, in percent."""
HELD = ("core", "dists", "images", "provenance", "publish", "sbom", "scanning", "versioning")


def percent_by_room(report: str) -> dict[str, float]:
    """Return the coverage of each package in percent, by its folder. The modules at the top count as one package."""
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
    """Return the packages in `HELD` that are below the floor or not measured at all."""
    return [room for room in HELD if rooms.get(room, 0.0) < FLOOR]


def main() -> int:
    """Print a line for each package. Return 1 if one is below its floor."""
    rooms = percent_by_room(sys.stdin.read())
    for room in sorted(rooms.keys() | set(HELD)):
        floor = f"  (at least {FLOOR:.0f} %)" if room in HELD else ""
        sys.stdout.write(f"{room:16} {rooms.get(room, 0.0):5.1f} %{floor}\n")
    if low := too_low(rooms):
        sys.stderr.write(
            f"coverage: too low: {', '.join(low)}; to list the lines, run `.venv/bin/coverage report -m`\n"
        )
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
