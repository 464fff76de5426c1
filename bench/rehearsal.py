"""Whole rehearsals, their local worlds included, against the script that people write.

    python -m bench.rehearsal [TRIES]

Two projects: pluggy 1.6.0, packages alone; and the example of this repository, packages and two images of it, where a
container engine answers. The script (``usual.sh``) does the same work with the same tools in sequence, once on pip and
once on uv, against a local world of its own that is started before its clock is. Each is run once without counting, so
that every cache is warm, then TRIES times (3) in turns. Images are built from a new commit each time, as those of a
release are: no layer with the wheel in it is in a cache. The tools' own installation is not counted. Times are
medians, in seconds.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.measuring import CACHE, ROOT, environ, environment, local_world, run, seconds, table

IDENTITY = ("-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "commit.gpgsign=false")
BASE = "python:3.11-slim-bookworm"


@dataclass(frozen=True, kw_only=True)
class Project:
    """What is released, and by which settings; ``limits`` are the parts of the scripts' times that we may take."""

    name: str
    version: str
    tag: str
    module: str
    tests: str
    limits: Mapping[str, float]
    ours: Mapping[str, str] = field(default_factory=dict)
    targets: tuple[str, ...] = ()


PLUGGY = Project(
    name="pluggy",
    version="1.6.0",
    tag="1.6.0",
    module="pluggy",
    tests="testing",
    limits={"pip": 0.3, "uv": 1.0},
    ours={
        "UNMOOR_TEST_COMMAND": "pytest -q {project}/testing",
        "UNMOOR_TEST_REQUIRES": "pytest",
        "UNMOOR_TEST_SOURCES": "testing",
    },
)
LIGHTHOUSE = Project(
    name="lighthouse-demo",
    version="1.0.0",
    tag="v1.0.0",
    module="lighthouse",
    tests="tests",
    limits={"pip": 0.6},
    targets=("production=", "development=-dev"),
)


def git(source: Path, *arguments: str) -> None:
    """Run git in a checkout, under a name of its own."""
    run(["git", *IDENTITY, *arguments], cwd=source)


def pluggy(folder: Path, tools: Path) -> Path:
    """The project as a git repository with its tag, from the sdist on the index: tests are in it, history is not."""
    kept = CACHE / "sdists"
    name = f"{PLUGGY.name}-{PLUGGY.version}"
    archive = kept / f"{name}.tar.gz"
    if not archive.exists():
        print(f"getting {archive.name} ...", file=sys.stderr)
        wanted = ["--no-deps", "--no-binary", ":all:", "--dest", str(kept), f"{PLUGGY.name}=={PLUGGY.version}"]
        run([tools / "python", "-m", "pip", "download", "--quiet", *wanted], cwd=ROOT)
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    source = folder / name
    if not (source / PLUGGY.tests).is_dir():
        sys.exit(f"{archive} holds no tests")
    # What the build wrote into the sdist is not part of a repository.
    shutil.rmtree(source / "src" / "pluggy.egg-info")
    for generated in ("PKG-INFO", "setup.cfg", "src/pluggy/_version.py"):
        (source / generated).unlink(missing_ok=True)
    return committed(source, PLUGGY)


def lighthouse(folder: Path) -> Path:
    """The example as a git repository with its tag."""
    return committed(shutil.copytree(ROOT / "examples" / "lighthouse", folder / "lighthouse"), LIGHTHOUSE)


def committed(source: Path, project: Project) -> Path:
    """Make a folder a repository of one commit."""
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "All"], ["tag", project.tag]):
        git(source, *command)
    return source


def renew(source: Path, project: Project) -> None:
    """Move the tag to a new commit, in which a file of the package is another."""
    with (source / "src" / project.module / "__init__.py").open("a") as module:
        module.write("# once more\n")
    git(source, "commit", "--quiet", "--all", "--message", "Once more")
    git(source, "tag", "--force", project.tag)


def rehearsed(project: Project, source: Path, scripts: Path) -> float:
    """How long ``unmoor rehearse`` takes; it removes the images that it built."""
    return seconds(["unmoor", "rehearse", project.tag], cwd=source, env=environ(scripts, **project.ours))


def scripted(project: Project, source: Path, ours: Path, tools: Path, installer: str) -> float:
    """How long the script takes, with a new world ready for it."""
    with tempfile.TemporaryDirectory() as place, local_world(ours, Path(place) / "world", source) as world:
        script, described = str(ROOT / "bench" / "usual.sh"), str(world.file)
        what = [str(source), project.tag, described, project.name, project.module, project.tests, *project.targets]
        return seconds([script, installer, *what], cwd=Path(place), env=environ(tools))


def measure(project: Project, source: Path, ours: Path, tools: Path, tries: int) -> None:
    """Measure all ways to release one project, and print."""
    ways: dict[str, Callable[[], float]] = {
        "unmoor rehearse": lambda: rehearsed(project, source, ours),
        "script on pip": lambda: scripted(project, source, ours, tools, "pip"),
        "script on uv": lambda: scripted(project, source, ours, tools, "uv"),
    }
    took: dict[str, list[float]] = {name: [] for name in ways}
    for counted in range(tries + 1):
        for name, way in ways.items():
            if project.targets:
                renew(source, project)
            time = way()
            if counted:
                took[name].append(time)
    middles = {name: statistics.median(times) for name, times in took.items()}
    base = middles["unmoor rehearse"]
    rows = []
    for name, middle in middles.items():
        limit = project.limits.get(name.rpartition(" ")[2])
        owed = "" if limit is None else f"{limit:.1f}"
        late = "" if limit is None or base <= limit * middle else "too slow"
        rows.append((name, f"{middle:.2f}", f"{base / middle:.2f}", owed, late))
    images = f", {len(project.targets)} images" if project.targets else ""
    table((f"{project.name} {project.version}{images}", "s", "unmoor / it", "at most", ""), rows)


def has_engine() -> bool:
    """Whether an engine answers and has a base image, which is made where it can be."""
    client = shutil.which("docker")
    if client is None or subprocess.run([client, "version"], check=False, capture_output=True).returncode:
        return False
    base = [str(ROOT / "docker" / "base-image.sh"), "--pull", BASE]
    return subprocess.run(base, check=False, env=dict(os.environ)).returncode == 0


def main() -> None:
    """Measure and print."""
    tries = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    if shutil.which("curl") is None:
        sys.exit("the script calls the API with curl, which is not here: apt-get install curl")
    ours = environment("unmoor", str(ROOT))
    tools = environment("tools", "build", "twine", "uv", "pip")
    with tempfile.TemporaryDirectory() as folder:
        measure(PLUGGY, pluggy(Path(folder), tools), ours, tools, tries)
        print()
        if has_engine():
            measure(LIGHTHOUSE, lighthouse(Path(folder)), ours, tools, tries)
        else:
            print("images: not measured, since no container engine answers here (docker/engine.sh)")


if __name__ == "__main__":
    try:
        main()
    except subprocess.SubprocessError as error:
        sys.exit(str(error))
