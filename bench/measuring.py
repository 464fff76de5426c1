"""What the benches share: environments of their own, the middle of several tries, a local world, a table."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
CACHE = ROOT / ".cache" / "bench"
UV = Path(sys.executable).parent / "uv"
PATIENCE = 30.0
"""Seconds that a local world may take to start."""

_HIDDEN = ("ACTIONS_", "GH_", "GITHUB_", "PYTHONDONTWRITEBYTECODE", "RUNNER_", "SETUPTOOLS_SCM_", "TWINE_", "UNMOOR_")


def environ(scripts: Path | None = None, **more: str) -> dict[str, str]:
    """The environment of what is measured: no tokens, bytecode written, ``scripts`` first on the path."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_HIDDEN)}
    path = kept["PATH"] if scripts is None else f"{scripts}{os.pathsep}{kept['PATH']}"
    return {**kept, "PATH": path, **more}


def run(command: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str] | None = None) -> str:
    """Run to the end and return what it printed; a failure ends the bench with the program's own words."""
    ran = subprocess.run(command, cwd=cwd, env=env or environ(), check=False, capture_output=True, text=True)
    if ran.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} ended with {ran.returncode}:\n{ran.stdout}{ran.stderr}")
    return ran.stdout


def environment(name: str, *requirements: str) -> Path:
    """An environment with compiled packages, kept between runs; return the folder of its scripts."""
    folder = CACHE / name
    stamp = folder / "requirements"
    wanted = "\n".join(requirements)
    local = any(requirement.startswith(str(ROOT)) for requirement in requirements)
    if local or not stamp.exists() or stamp.read_text() != wanted:
        run([UV, "venv", "--quiet", "--clear", "--python", sys.executable, folder], cwd=ROOT)
        into = ["--python", str(folder / "bin" / "python")]
        run([UV, "pip", "install", "--quiet", "--compile-bytecode", *into, *requirements], cwd=ROOT)
        stamp.write_text(wanted)
    return folder / "bin"


def seconds(command: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str]) -> float:
    """How long one run takes."""
    begun = time.perf_counter()
    run(command, cwd=cwd, env=env)
    return time.perf_counter() - begun


def middle(command: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str], tries: int) -> float:
    """The median of several runs, in seconds, after one that does not count."""
    run(command, cwd=cwd, env=env)
    return statistics.median(seconds(command, cwd=cwd, env=env) for _ in range(tries))


@dataclass(frozen=True)
class World:
    """A local world that runs."""

    file: Path

    @property
    def table(self) -> dict[str, Any]:
        """What its ``world.toml`` says."""
        return tomllib.loads(self.file.read_text())


@contextmanager
def local_world(scripts: Path, folder: Path, checkout: Path, *options: str) -> Iterator[World]:
    """Keep a local world running in a folder, with a copy of a checkout as its git remote."""
    process = subprocess.Popen(
        [scripts / "unmoor", "world", "up", "--dir", folder, *options],
        cwd=checkout,
        env=environ(scripts),
        stdout=subprocess.PIPE,
        text=True,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None  # noqa: S101 - it was asked for above
        file = process.stdout.readline().strip()  # one line, as soon as the world can be used
        if not file:
            sys.exit("the local world did not start")
        yield World(Path(file))
    finally:
        process.terminate()
        process.wait(PATIENCE)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table, numbers to the right."""
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    for row in (heads, *rows):
        first, *others = (
            cell.ljust(width) if not column else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  ".join((first, *others)).rstrip())
