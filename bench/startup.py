"""Measure how long commands of unmoor and of other release tools take on this machine.

    python -m bench.startup [TRIES]

Each tool has its own environment in ``.cache/bench`` with compiled bytecode. `unmoor plan` reads a whole local world.
Times are medians of TRIES runs (default 15), in milliseconds. They are measured in turns, and the limits are ratios, so
they hold on slow and on busy machines. Unless a limit names another command, a ratio is to the import of click.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.measuring import ROOT, environ, environment, local_world, run, seconds, table

CLICK, HELP = "python -c 'import click'", "unmoor --help"
IDENTITY = ("-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "commit.gpgsign=false")


@dataclass(frozen=True)
class Case:
    """A command to measure, and how many times the time of another one, named by ``of``, it may take at most."""

    name: str
    scripts: Path
    command: tuple[str, ...]
    of: str = ""
    most: float | None = None


def cases(world_file: Path, ours: Path) -> list[Case]:
    """Return the commands to measure."""
    click = environment("click", "click")
    semantic = environment("python-semantic-release", "python-semantic-release")
    towncrier = environment("towncrier", "towncrier")
    hatch = environment("hatch", "hatch")
    return [
        Case("python -c pass", click, ("python", "-c", "pass")),
        Case(CLICK, click, ("python", "-c", "import click")),
        Case("unmoor --version", ours, ("unmoor", "--version"), CLICK, 1.5),
        Case(HELP, ours, ("unmoor", "--help"), CLICK, 2.0),
        Case("unmoor plan --help", ours, ("unmoor", "plan", "--help"), HELP, 1.3),
        Case("unmoor plan", ours, ("unmoor", "plan", "--world", str(world_file), "v1.0.0"), CLICK, 15.0),
        Case("towncrier --version", towncrier, ("towncrier", "--version")),
        Case("towncrier --help", towncrier, ("towncrier", "--help")),
        Case("towncrier build --draft", towncrier, ("towncrier", "build", "--draft", "--version", "1.0.0")),
        Case("hatch --version", hatch, ("hatch", "--version")),
        Case("hatch --help", hatch, ("hatch", "--help")),
        Case("semantic-release --version", semantic, ("semantic-release", "--version")),
        Case("semantic-release --help", semantic, ("semantic-release", "--help")),
    ]


def project(folder: Path) -> Path:
    """Make a git repository of the example package, with a tag."""
    checkout = folder / "lighthouse"
    shutil.copytree(ROOT / "examples" / "lighthouse", checkout)
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "Begin"], ["tag", "v1.0.0"]):
        run(["git", *IDENTITY, *command], cwd=checkout)
    return checkout


def main() -> None:
    """Measure all commands and print a table."""
    tries = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    ours = environment("unmoor", str(ROOT))
    with tempfile.TemporaryDirectory() as name:
        checkout = project(Path(name))
        with local_world(ours, Path(name) / "world", checkout) as world:
            every = cases(world.file, ours)
            taken: dict[str, list[float]] = {case.name: [] for case in every}
            for attempt in range(tries + 1):
                for case in every:
                    one = seconds(case.command, cwd=checkout, env=environ(case.scripts))
                    taken[case.name] += [one] if attempt else []  # the first run fills the caches
    took = {name: statistics.median(times) for name, times in taken.items()}
    rows = []
    for case in every:
        ratio = took[case.name] / took[case.of or CLICK]
        most = "" if case.most is None else f"{case.most:g} of {case.of}"
        late = "" if case.most is None or ratio <= case.most else "too slow"
        rows.append((case.name, f"{took[case.name] * 1000:.0f}", f"{ratio:.1f}x", most, late))
    table(("command", "ms", "ratio", "at most", ""), rows)


if __name__ == "__main__":
    main()
