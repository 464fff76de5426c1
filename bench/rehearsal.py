"""Compare whole rehearsals, including the start of their local worlds, with a usual release script.

    python -m bench.rehearsal [TRIES]

There are two projects: pluggy 1.6.0, with packages only, and the example of this repository with packages and, if there
is a container engine, two images. The script (``usual.sh``) does the same work in sequence with the same tools, once
with pip and once with uv, against its own local world, whose start does not count. Each runs once without counting, to
fill the caches, then TRIES times (default 3) in turns. As in a release, each run builds images from a new commit, so no
layer with the wheel is in a cache. The installation of the tools does not count. Times are medians, in seconds.
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
    """A project to release, and its settings for unmoor.

    ``limits`` gives, for each script, the largest part of its time that unmoor may take.
    """

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
    """Run git in a checkout, as a separate user."""
    run(["git", *IDENTITY, *arguments], cwd=source)


def pluggy(folder: Path, tools: Path) -> Path:
    """Make a git repository with a tag from the sdist on the index, which has the tests."""
    cache = CACHE / "sdists"
    name = f"{PLUGGY.name}-{PLUGGY.version}"
    archive = cache / f"{name}.tar.gz"
    if not archive.exists():
        print(f"downloading {archive.name} ...", file=sys.stderr)
        options = ["--no-deps", "--no-binary", ":all:", "--dest", str(cache), f"{PLUGGY.name}=={PLUGGY.version}"]
        run([tools / "python", "-m", "pip", "download", "--quiet", *options], cwd=ROOT)
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    source = folder / name
    if not (source / PLUGGY.tests).is_dir():
        sys.exit(f"{archive} has no tests")
    # Remove generated files, which a repository does not have.
    shutil.rmtree(source / "src" / "pluggy.egg-info")
    for generated in ("PKG-INFO", "setup.cfg", "src/pluggy/_version.py"):
        (source / generated).unlink(missing_ok=True)
    return make_repository(source, PLUGGY)


def lighthouse(folder: Path) -> Path:
    """Make a git repository of the example, with its tag."""
    return make_repository(shutil.copytree(ROOT / "examples" / "lighthouse", folder / "lighthouse"), LIGHTHOUSE)


def make_repository(source: Path, project: Project) -> Path:
    """Turn a folder into a repository with one commit and the tag."""
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "All"], ["tag", project.tag]):
        git(source, *command)
    return source


def move_tag(source: Path, project: Project) -> None:
    """Move the tag to a new commit that changes a file of the package."""
    with (source / "src" / project.module / "__init__.py").open("a") as module:
        module.write("# again\n")
    git(source, "commit", "--quiet", "--all", "--message", "Again")
    git(source, "tag", "--force", project.tag)


def time_rehearsal(project: Project, source: Path, scripts: Path) -> float:
    """Return how long ``unmoor rehearse`` takes, in seconds. It removes the images that it builds."""
    return seconds(["unmoor", "rehearse", project.tag], cwd=source, env=environ(scripts, **project.ours))


def time_script(project: Project, source: Path, ours: Path, tools: Path, installer: str) -> float:
    """Return how long the script takes with a new local world, in seconds."""
    with tempfile.TemporaryDirectory() as folder, local_world(ours, Path(folder) / "world", source) as world:
        script, world_file = str(ROOT / "bench" / "usual.sh"), str(world.file)
        arguments = [str(source), project.tag, world_file, project.name, project.module, project.tests]
        return seconds([script, installer, *arguments, *project.targets], cwd=Path(folder), env=environ(tools))


def measure(project: Project, source: Path, ours: Path, tools: Path, tries: int) -> None:
    """Measure all ways to release one project, and print a table."""
    ways: dict[str, Callable[[], float]] = {
        "unmoor rehearse": lambda: time_rehearsal(project, source, ours),
        "script with pip": lambda: time_script(project, source, ours, tools, "pip"),
        "script with uv": lambda: time_script(project, source, ours, tools, "uv"),
    }
    took: dict[str, list[float]] = {name: [] for name in ways}
    for counted in range(tries + 1):
        for name, way in ways.items():
            if project.targets:
                move_tag(source, project)
            time = way()
            if counted:
                took[name].append(time)
    medians = {name: statistics.median(times) for name, times in took.items()}
    base = medians["unmoor rehearse"]
    rows = []
    for name, median in medians.items():
        limit = project.limits.get(name.rpartition(" ")[2])
        at_most = "" if limit is None else f"{limit:.1f}"
        late = "" if limit is None or base <= limit * median else "too slow"
        rows.append((name, f"{median:.2f}", f"{base / median:.2f}", at_most, late))
    images = f", {len(project.targets)} images" if project.targets else ""
    table((f"{project.name} {project.version}{images}", "s", "unmoor / this", "at most", ""), rows)


def has_engine() -> bool:
    """Whether an engine answers and has a base image. Create the image if it is missing."""
    client = shutil.which("docker")
    if client is None or subprocess.run([client, "version"], check=False, capture_output=True).returncode:
        return False
    base = [str(ROOT / "docker" / "base-image.sh"), "--pull", BASE]
    return subprocess.run(base, check=False, env=dict(os.environ)).returncode == 0


def main() -> None:
    """Measure both projects and print a table for each."""
    tries = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    if shutil.which("curl") is None:
        sys.exit("usual.sh needs curl, which is not installed: apt-get install curl")
    ours = environment("unmoor", str(ROOT))
    tools = environment("tools", "build", "twine", "uv", "pip")
    with tempfile.TemporaryDirectory() as folder:
        measure(PLUGGY, pluggy(Path(folder), tools), ours, tools, tries)
        print()
        if has_engine():
            measure(LIGHTHOUSE, lighthouse(Path(folder)), ours, tools, tries)
        else:
            print("images: not measured, because no container engine answers (run docker/engine.sh start)")


if __name__ == "__main__":
    try:
        main()
    except subprocess.SubprocessError as error:
        sys.exit(str(error))
