"""Compare releases of projects with long histories with releases of the same project without one.

    python -m bench.history [TRIES]

There are two histories: a repository of 20,000 commits and 2,000 tags, half of them on the released commit, which is
rehearsed; and a local world that holds 200 releases, into which the next version is released, and released again after
that. Each is measured in turns with a short history, TRIES times (default 3), after a run that does not count. Times
are the shortest, in seconds, since other programs on the machine only add to them. A long history may take 1.1 times as
long. The processor time of unmoor and what it starts, without a world that runs already, hardly depends on the others.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from bench.measuring import ROOT, World, environ, environment, local_world, run, seconds, table

LIMIT = 1.1
COMMITS, TAGS, RELEASES = 20_000, 2_000, 200
VERSION = "9.0.0"
FILES = {
    "pyproject.toml": f"""[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"
[project]
name = "history-demo"
version = "{VERSION}"
[tool.setuptools]
packages = ["history_demo"]
""",
    "history_demo/__init__.py": "",
    "README.md": "# Demo\n",
    "CHANGELOG.md": f"# Changes\n\n## {VERSION}\n\n- A change.\n",
}


class Took(NamedTuple):
    """What a command took, in seconds: by the clock, and of the processor."""

    wall: float
    processor: float


def repository(path: Path, *, commits: int, tags: int) -> Path:
    """Make a repository in which every second tag is on the last commit, and the others are spread over all."""
    run(["git", "init", "--quiet", "--initial-branch=main", path], cwd=path.parent)
    stream = "".join(_history(commits, tags)).encode()
    subprocess.run(["git", "fast-import", "--quiet"], cwd=path, input=stream, check=True, env=environ())  # noqa: S607
    run(["git", "checkout", "--quiet", "--force", "main"], cwd=path)
    run(["git", "tag", f"v{VERSION}"], cwd=path)
    return path


def _history(commits: int, tags: int) -> Iterator[str]:
    """Yield the input of ``git fast-import``."""
    for number in range(1, commits + 1):
        who = f"committer a <a@b.c> {1_600_000_000 + number} +0000"
        yield f"commit refs/heads/main\nmark :{number}\n{who}\ndata 6\nchange\n"
        files = FILES if number == 1 else {f"docs/{number % 100}": f"{number}\n"}
        yield from (f"M 100644 inline {name}\ndata {len(text)}\n{text}\n" for name, text in files.items())
    for number in range(tags):
        at = commits if number % 2 else 1 + number * (commits - 1) // tags
        name = f"moving-{number}" if number % 2 else f"v0.{number}.0"
        yield f"tag {name}\nfrom :{at}\ntagger a <a@b.c> {1_600_000_000 + at} +0000\ndata 3\ntag\n"


def fill(world: Path, count: int) -> None:
    """Replace the one release that a stopped world holds by others of earlier versions."""
    forge = world / "forge" / "state.json"
    state = json.loads(forge.read_text())
    one, number = state["releases"][0], state["next_id"]
    state["releases"] = []
    for minor in range(count):
        release = _renamed(one, minor)
        for each in (release, *release["assets"]):
            each["id"], number = number, number + 1
        release["mark"] = minor + 1
        state["releases"].append(release)
    forge.write_text(json.dumps({**state, "next_id": number, "marks": count}))
    for path in world.glob("*/projects/*.json"):
        project = json.loads(path.read_text())
        files, metadata = project["files"], project["releases"][VERSION]
        project["files"] = [_renamed(each, minor) for minor in range(count) for each in files]
        for at, each in enumerate(project["files"]):
            for kind, digest in each["digests"].items():
                each["digests"][kind] = f"{at:x}".zfill(len(digest)) if kind != "size" else digest
        project["releases"] = {f"0.{minor}.0": _renamed(metadata, minor) for minor in range(count)}
        path.write_text(json.dumps(project))


def copy(world: Path, into: Path) -> Path:
    """Copy a stopped world, without the sockets of its servers."""
    return shutil.copytree(world, into, ignore=shutil.ignore_patterns("socket"))


def _renamed(value: Any, minor: int) -> Any:
    return json.loads(json.dumps(value).replace(VERSION, f"0.{minor}.0"))


def timed(ours: Path, checkout: Path, *arguments: str) -> Took:
    """Run unmoor, and return what it took."""
    before = os.times()
    wall = seconds(["unmoor", *arguments], cwd=checkout, env=environ(ours))
    after = os.times()
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    return Took(wall, processor)


def release(ours: Path, checkout: Path, world: World) -> Took:
    """Release into a world, and return what it took."""
    return timed(ours, checkout, "release", f"v{VERSION}", "--world", str(world.file))


def rehearse(ours: Path, checkout: Path) -> dict[str, Took]:
    """Rehearse, and return what it took."""
    return {"rehearsal": timed(ours, checkout, "rehearse", f"v{VERSION}", "--without-images")}


def release_twice(ours: Path, checkout: Path, kept: Path) -> dict[str, Took]:
    """Release into a copy of a world, and a second time, and return what each took."""
    with tempfile.TemporaryDirectory() as folder:
        copied = copy(kept, Path(folder) / "world")
        shutil.rmtree(checkout / ".unmoor", ignore_errors=True)
        with local_world(ours, copied, checkout) as world:
            return {"release": release(ours, checkout, world), "second run": release(ours, checkout, world)}


def measure(ways: Mapping[str, Callable[[], dict[str, Took]]], tries: int) -> Iterator[tuple[str, ...]]:
    """Yield the rows of a table. ``ways`` are the short and the long history, each with what it measures."""
    took: dict[str, dict[str, list[Took]]] = {}
    for counted in range(tries + 1):
        for history, way in ways.items():
            for what, time in way().items():
                if counted:
                    took.setdefault(what, {}).setdefault(history, []).append(time)
    for what, times in took.items():
        short, long = (min(each.wall for each in them) for them in times.values())
        less, more = (min(each.processor for each in them) for them in times.values())
        late = "too slow" if long > LIMIT * short else ""
        name, ratio = f"{what}: {' / '.join(ways)}", f"{more / less:.2f}"
        yield name, f"{short:.2f}", f"{long:.2f}", f"{long / short:.2f}", f"{LIMIT}", ratio, late


def main() -> None:
    """Measure both histories and print a table."""
    tries = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    ours = environment("unmoor", str(ROOT))
    with tempfile.TemporaryDirectory() as folder:
        short = repository(Path(folder) / "short", commits=10, tags=0)
        long = repository(Path(folder) / "long", commits=COMMITS, tags=TAGS)
        rows = [
            *measure(
                {
                    "10 commits": lambda: rehearse(ours, short),
                    f"{COMMITS:,} commits, {TAGS:,} tags": lambda: rehearse(ours, long),
                },
                tries,
            )
        ]
        empty, full = Path(folder) / "empty", Path(folder) / "full"
        with local_world(ours, empty, short) as world:
            release(ours, short, world)
        copy(empty, full)
        fill(empty, 0)
        fill(full, RELEASES)
        rows += measure(
            {
                "no release": lambda: release_twice(ours, short, empty),
                f"{RELEASES} releases": lambda: release_twice(ours, short, full),
            },
            tries,
        )
        table(("", "short", "long", "long / short", "at most", "processor", ""), rows)


if __name__ == "__main__":
    try:
        main()
    except subprocess.SubprocessError as error:
        sys.exit(str(error))
