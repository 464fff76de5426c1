"""Compare the rounds of `unmoor bench compare` with a shell loop that starts the same processes.

    python -m bench.compare [TRIES]

A project with one command that works for 0.1 s is measured on two commits that do not differ, with a threshold so high
that 30 rounds are enough. The loop starts the same two installed commands as often, by turns, from one shell. What is
compared is the time from the first round to the last one: building and installing are the same for any tool. Both run
in turns, TRIES times (default 3). Times are medians.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.measuring import ROOT, UV, environ, environment, run, table

LIMIT = 1.1
"""How many times as long as the loop the rounds may take."""
IDENTITY = ("-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "commit.gpgsign=false")
PYPROJECT = """\
[build-system]
requires = ["setuptools>=80"]
build-backend = "setuptools.build_meta"
[project]
name = "small"
version = "1.0"
scripts = { small = "small:main" }
[tool.setuptools]
py-modules = ["small"]
[tool.unmoor.bench]
measure = [{ name = "start", run = "small" }]
threshold = "90%"
"""
MODULE = """\
import time
def main():
    end = time.process_time() + 0.1
    while time.process_time() < end:
        pass
"""
ROUNDS = 30
_PROGRESS = re.compile(r"measuring: (\d+) rounds? of \d+")


def project(folder: Path) -> None:
    """Make a repository with two commits that do not differ."""
    folder.mkdir()
    (folder / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    (folder / "small.py").write_text(MODULE, encoding="utf-8")
    for command in (
        ["init", "--quiet", "--initial-branch=main"],
        ["add", "."],
        [*IDENTITY, "commit", "--quiet", "-m", "One"],
        ["checkout", "--quiet", "-b", "topic"],
        [*IDENTITY, "commit", "--quiet", "--allow-empty", "-m", "Two"],
    ):
        run(["git", *command], cwd=folder)


def ours(scripts: Path, folder: Path) -> float:
    """Seconds for the rounds of `unmoor bench compare`: from the end of the first try to the last round."""
    command = [str(scripts / "unmoor"), "bench", "compare"]
    started = ended = 0.0
    with subprocess.Popen(
        command, cwd=folder, env=environ(scripts), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as running:
        assert running.stderr is not None  # noqa: S101 - set by PIPE above
        for line in running.stderr:
            if line.startswith("trying start"):
                started = time.perf_counter()
            elif found := _PROGRESS.match(line):
                ended = time.perf_counter()
                if int(found[1]) >= ROUNDS:
                    break
        running.stderr.read()
    if not ended:
        sys.exit("nothing was measured")
    return ended - started


def loop(folder: Path) -> float:
    """Seconds for a shell that starts both installed commands by turns, as often: one try and the rounds."""
    one, two = folder / "one" / "bin" / "small", folder / "two" / "bin" / "small"
    script = f"for i in $(seq {ROUNDS + 1}); do {one}; {two}; done"
    started = time.perf_counter()
    run(["sh", "-c", script], cwd=folder)
    return time.perf_counter() - started


def install(folder: Path, source: Path) -> None:
    """Install the project twice, for the loop."""
    for name in ("one", "two"):
        run([UV, "venv", "--quiet", "--python", sys.executable, folder / name], cwd=folder)
        run([UV, "pip", "install", "--quiet", "--python", folder / name / "bin" / "python", source], cwd=folder)


def main() -> int:
    """Measure and print a table. Return 1 if the limit is exceeded."""
    tries = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    scripts = environment("compare", str(ROOT))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        project(folder / "project")
        install(folder, folder / "project")
        pairs = [(ours(scripts, folder / "project"), loop(folder)) for _ in range(tries)]
    mine, theirs = (statistics.median(each) for each in zip(*pairs, strict=True))
    ratio = mine / theirs
    table(("", "seconds"), [("unmoor bench compare", f"{mine:.2f}"), ("a shell loop", f"{theirs:.2f}")])
    print(f"ratio {ratio:.2f}, limit {LIMIT}")
    return int(ratio > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
