"""What the benchmarks share: separate environments, the median of several runs, a local world, and a table."""

from __future__ import annotations

import os
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
STOP_TIMEOUT = 30.0
"""Seconds that a local world may take to stop."""

_HIDDEN = ("ACTIONS_", "GH_", "GITHUB_", "PYTHONDONTWRITEBYTECODE", "RUNNER_", "SETUPTOOLS_SCM_", "TWINE_", "UNMOOR_")


def environ(scripts: Path | None = None, **more: str) -> dict[str, str]:
    """Return the environment of a measured command: without tokens, with bytecode, and ``scripts`` first on PATH."""
    visible = {name: value for name, value in os.environ.items() if not name.startswith(_HIDDEN)}
    path = visible["PATH"] if scripts is None else f"{scripts}{os.pathsep}{visible['PATH']}"
    return {**visible, "PATH": path, **more}


def run(command: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str] | None = None) -> str:
    """Run a command and return its standard output. If it fails, exit with its output."""
    ran = subprocess.run(command, cwd=cwd, env=env or environ(), check=False, capture_output=True, text=True)
    if ran.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} exited with code {ran.returncode}:\n{ran.stdout}{ran.stderr}")
    return ran.stdout


def environment(name: str, *requirements: str) -> Path:
    """Create an environment with compiled packages, and return the folder of its scripts. Later runs reuse it."""
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
    """Return how long one run takes, in seconds."""
    start = time.perf_counter()
    run(command, cwd=cwd, env=env)
    return time.perf_counter() - start


@dataclass(frozen=True)
class World:
    """A running local world."""

    file: Path

    @property
    def table(self) -> dict[str, Any]:
        """The content of its ``world.toml``."""
        return tomllib.loads(self.file.read_text())


@contextmanager
def local_world(scripts: Path, folder: Path, checkout: Path, *options: str) -> Iterator[World]:
    """Run a local world in a folder, with a copy of the checkout as its git remote."""
    process = subprocess.Popen(
        [scripts / "unmoor", "world", "up", "--dir", folder, *options],
        cwd=checkout,
        env=environ(scripts),
        stdout=subprocess.PIPE,
        text=True,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None  # noqa: S101 - set by PIPE above
        file = process.stdout.readline().strip()  # one line, as soon as the world is ready
        if not file:
            sys.exit("the local world did not start")
        yield World(Path(file))
    finally:
        process.terminate()
        process.wait(STOP_TIMEOUT)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table. All columns but the first are aligned to the right."""
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    for row in (heads, *rows):
        first, *others = (
            cell.ljust(width) if not column else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  ".join((first, *others)).rstrip())
