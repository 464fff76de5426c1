"""A whole rehearsal of pluggy 1.6.0, its local world included, against the script that people write.

    python -m bench.rehearsal [TRIES]

The script (``usual.sh``) does the same work with the same tools in sequence, once on pip and once on uv, against a
local world of its own that is started before its clock is. Each is run once without counting, so that every cache is
warm, then TRIES times (3) in turns. The tools' own installation is not counted. Times are medians, in seconds.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.measuring import CACHE, ROOT, environ, environment, local_world, run, seconds, table

PROJECT, VERSION, TAG, TESTS = "pluggy", "1.6.0", "1.6.0", "testing"
OURS = {
    "UNMOOR_TEST_COMMAND": "pytest -q {project}/testing",
    "UNMOOR_TEST_REQUIRES": "pytest",
    "UNMOOR_TEST_SOURCES": TESTS,
}
IDENTITY = ("-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "commit.gpgsign=false")
LIMITS = {"pip": 0.3, "uv": 1.0}
"""At most this part of each script's time."""


def checkout(folder: Path, tools: Path) -> Path:
    """The project as a git repository with its tag, from the sdist on the index: tests are in it, history is not."""
    kept = CACHE / "sdists"
    name = f"{PROJECT}-{VERSION}"
    archive = kept / f"{name}.tar.gz"
    if not archive.exists():
        print(f"getting {archive.name} ...", file=sys.stderr)
        wanted = ["--no-deps", "--no-binary", ":all:", "--dest", str(kept), f"{PROJECT}=={VERSION}"]
        run([tools / "python", "-m", "pip", "download", "--quiet", *wanted], cwd=ROOT)
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    source = folder / name
    if not (source / TESTS).is_dir():
        sys.exit(f"{archive} holds no tests")
    # What the build wrote into the sdist is not part of a repository.
    shutil.rmtree(source / "src" / "pluggy.egg-info")
    for generated in ("PKG-INFO", "setup.cfg", "src/pluggy/_version.py"):
        (source / generated).unlink(missing_ok=True)
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", VERSION], ["tag", TAG]):
        run(["git", *IDENTITY, *command], cwd=source)
    return source


def rehearsed(source: Path, scripts: Path) -> float:
    """How long ``unmoor rehearse`` takes."""
    return seconds(["unmoor", "rehearse", TAG], cwd=source, env=environ(scripts, **OURS))


def scripted(source: Path, ours: Path, tools: Path, installer: str) -> float:
    """How long the script takes, with a new world ready for it."""
    with tempfile.TemporaryDirectory() as place, local_world(ours, Path(place) / "world", source) as world:
        script, described = str(ROOT / "bench" / "usual.sh"), str(world.file)
        command = [script, installer, str(source), TAG, described, PROJECT, PROJECT, TESTS]
        return seconds(command, cwd=Path(place), env=environ(tools))


def main() -> None:
    """Measure and print."""
    tries = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    if shutil.which("curl") is None:
        sys.exit("the script calls the API with curl, which is not here: apt-get install curl")
    ours = environment("unmoor", str(ROOT))
    tools = environment("tools", "build", "twine", "uv", "pip")
    with tempfile.TemporaryDirectory() as folder:
        source = checkout(Path(folder), tools)
        ways: dict[str, Callable[[], float]] = {
            "unmoor rehearse": lambda: rehearsed(source, ours),
            "script on pip": lambda: scripted(source, ours, tools, "pip"),
            "script on uv": lambda: scripted(source, ours, tools, "uv"),
        }
        for way in ways.values():
            way()
        took: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(tries):
            for name, way in ways.items():
                took[name].append(way())
    middles = {name: statistics.median(times) for name, times in took.items()}
    base = middles["unmoor rehearse"]
    rows = []
    for name, middle in middles.items():
        limit = LIMITS.get(name.rpartition(" ")[2])
        owed = "" if limit is None else f"{limit:.1f}"
        late = "" if limit is None or base <= limit * middle else "too slow"
        rows.append((name, f"{middle:.2f}", f"{base / middle:.2f}", owed, late))
    table((f"{PROJECT} {VERSION}", "s", "unmoor / it", "at most", ""), rows)


if __name__ == "__main__":
    try:
        main()
    except subprocess.SubprocessError as error:
        sys.exit(str(error))
