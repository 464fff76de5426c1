"""What chaos costs: the mean of its rounds beside a plain rehearsal of the same project, in one run.

    python -m bench.chaos [ROUNDS]

The project is pluggy 1.6.0, as in ``bench.rehearsal``. A round, with its faults, all runs that it needs, its servers
and the judge, may take as long on average as a plain rehearsal: 1.0. Two seeds draw ROUNDS rounds each (default 25),
and a rehearsal comes before, between and after them. Times are in seconds.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.measuring import ROOT, environ, environment, run, table
from bench.rehearsal import PLUGGY, pluggy, time_rehearsal

MOST = 1.0
"""The mean of a round, in plain rehearsals."""
SEEDS = (1, 2)


def rounds_of(seed: int, rounds: int, source: Path, ours: Path) -> list[float]:
    """Play rounds of a seed, and return how long each took, with its servers."""
    command = ["unmoor", "rehearse", "--chaos", "--seed", str(seed), "--rounds", str(rounds), "--json", PLUGGY.tag]
    played = json.loads(run(command, cwd=source, env=environ(ours, **PLUGGY.ours)))
    return [float(each["seconds"]) for each in played["rounds"]]


def main() -> None:
    """Measure rehearsals and rounds in turns, and print a table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 25
    ours = environment("unmoor", str(ROOT))
    tools = environment("tools", "build", "twine", "uv", "pip")
    with tempfile.TemporaryDirectory() as folder:
        source = pluggy(Path(folder), tools)
        time_rehearsal(PLUGGY, source, ours)  # fills the caches
        plain, played = [time_rehearsal(PLUGGY, source, ours)], []
        for seed in SEEDS:
            played += rounds_of(seed, rounds, source, ours)
            plain.append(time_rehearsal(PLUGGY, source, ours))
    base, mean = statistics.median(plain), statistics.mean(played)
    rows = [
        ("a rehearsal", f"{base:.2f}", "1.00", "", ""),
        (
            "a round, on average",
            f"{mean:.2f}",
            f"{mean / base:.2f}",
            f"{MOST:.1f}",
            "" if mean <= MOST * base else "slow",
        ),
        ("the longest round", f"{max(played):.2f}", f"{max(played) / base:.2f}", "", ""),
    ]
    table((f"chaos: {len(played)} rounds of {PLUGGY.name} {PLUGGY.version}", "s", "in rehearsals", "at most", ""), rows)


if __name__ == "__main__":
    try:
        main()
    except subprocess.SubprocessError as error:
        sys.exit(str(error))
