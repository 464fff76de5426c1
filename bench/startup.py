"""Measure how long commands of unmoor and of other release tools take on this machine.

    python -m bench.startup [TRIES]

Each tool has its own environment in ``.cache/bench`` with compiled bytecode. `unmoor plan` reads a whole local world.
Times are medians of TRIES runs (default 15), in milliseconds.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.measuring import ROOT, environ, environment, local_world, median_seconds, run, table

IDENTITY = ("-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "commit.gpgsign=false")


@dataclass(frozen=True)
class Case:
    """A command to measure. ``limit`` is the time in seconds that it may take, if there is a limit."""

    name: str
    scripts: Path
    command: tuple[str, ...]
    limit: float | None = None


def cases(world_file: Path, ours: Path) -> list[Case]:
    """Return the commands to measure."""
    click = environment("click", "click")
    semantic = environment("python-semantic-release", "python-semantic-release")
    towncrier = environment("towncrier", "towncrier")
    hatch = environment("hatch", "hatch")
    return [
        Case("python -c pass", click, ("python", "-c", "pass")),
        Case("python -c 'import click'", click, ("python", "-c", "import click")),
        Case("unmoor --version", ours, ("unmoor", "--version"), 0.05),
        Case("unmoor --help", ours, ("unmoor", "--help"), 0.06),
        Case("unmoor plan", ours, ("unmoor", "plan", "--world", str(world_file), "v1.0.0"), 0.6),
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
            rows: list[tuple[str, ...]] = []
            base = 0.0
            for case in cases(world.file, ours):
                took = median_seconds(case.command, cwd=checkout, env=environ(case.scripts), tries=tries)
                base = took if case.name == "unmoor --version" else base
                limit = "" if case.limit is None else f"{case.limit * 1000:.0f}"
                late = "" if case.limit is None or took <= case.limit else "too slow"
                ratio = f"{took / base:.1f}x" if base else ""
                rows.append((case.name, f"{took * 1000:.0f}", limit, ratio, late))
    table(("command", "ms", "at most", "of unmoor --version", ""), rows)


if __name__ == "__main__":
    main()
