"""Release many versions of a project into one local world, and see whether anything piles up.

    python -m bench.soak [RELEASES]

One process makes all releases (default 200) through the command line's own function, so what one of them leaves behind
is there for the next. Of this process and of the one that serves the world, the memory after the last release is
compared with that after the 20th: the anonymous resident memory, from ``/proc``, after a collection of garbage.
Descriptors and threads are compared too. At the end neither process may have a child that it did not have after the
20th release, and the folder for temporary files has to be empty.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.measuring import environ, table
from tests.support.killed_releases import repo_of_versions

from unmoor.rehearsal import local

RELEASES, EARLY = 200, 20
LIMIT = 1.1
"""The most memory after the last release, as a multiple of that after the 20th."""

# Makes a release for each line that it reads: a tag. Prints its exit code, and what this process has then.
_CLIENT = """
import contextlib, gc, io, json, sys
from bench.soak import facts
from unmoor.cli.app import run

world = sys.argv[1]
for line in sys.stdin:
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = run(["release", "--world", world, line.strip()])
    gc.collect()
    text = said.getvalue()[-3000:] if code else ""
    del said
    print(json.dumps({"code": code, "text": text, **facts("self")}), flush=True)
"""


def facts(process: str) -> dict[str, int]:
    """What a process has: kilobytes of memory, descriptors, threads, children."""
    place = Path("/proc", process)
    status = dict(line.split(":", 1) for line in (place / "status").read_text().splitlines() if ":" in line)
    children = " ".join(each.read_text() for each in (place / "task").glob("*/children")).split()
    return {
        "memory": int(status["RssAnon"].split()[0]),
        "descriptors": sum(1 for _ in (place / "fd").iterdir()),
        "threads": int(status["Threads"]),
        "children": len(children),
    }


@contextmanager
def releases(here: Path, world: Path, checkout: Path) -> Iterator[subprocess.Popen[str]]:
    """Run the process that makes the releases."""
    temporary = here / "tmp"
    temporary.mkdir()
    env = environ(TMPDIR=str(temporary), XDG_STATE_HOME=str(here / "state"), PYTHONPATH=str(Path(__file__).parents[1]))
    command = [sys.executable, "-c", _CLIENT, str(world)]
    with subprocess.Popen(
        command, cwd=checkout, env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        yield process
        assert process.stdin is not None  # noqa: S101 - set by PIPE above
        process.stdin.close()
        process.wait(60)


def released(process: subprocess.Popen[str], tag: str) -> dict[str, Any]:
    """Make one release, and return what the process has after it."""
    assert process.stdin is not None  # noqa: S101 - set by PIPE above
    assert process.stdout is not None  # noqa: S101 - set by PIPE above
    process.stdin.write(f"{tag}\n")
    process.stdin.flush()
    line = process.stdout.readline()
    if not line:
        sys.exit(f"the process ended during the release of {tag}")
    found: dict[str, Any] = json.loads(line)
    if found["code"]:
        sys.exit(f"the release of {tag} ended with code {found['code']}:\n{found['text']}")
    return found


def problems(name: str, early: Mapping[str, int], late: Mapping[str, int]) -> list[str]:
    """What piled up in a process."""
    found = [
        f"{name}: {late[what]} {what} after the last release, {early[what]} after number {EARLY}"
        for what in ("descriptors", "threads", "children")
        if late[what] > early[what]
    ]
    if late["memory"] > LIMIT * early["memory"]:
        found.append(f"{name}: {late['memory'] / early['memory']:.2f} times the memory, limit {LIMIT}")
    return found


def main() -> int:
    """Release, and print a table. Return 1 if anything piled up."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else RELEASES
    early: dict[str, dict[str, int]] = {}
    late: dict[str, dict[str, int]] = {}
    with tempfile.TemporaryDirectory(prefix="unmoor-soak-") as temporary:
        here = Path(temporary)
        versions = [f"1.{number}" for number in range(1, count + 1)]
        repo = repo_of_versions(here / "small", versions)
        with local.start(here / "world", repository="acme/small", checkout=repo.path) as world:
            servers = str(world.process.pid)
            begun = time.monotonic()
            with releases(here, world.world_file, repo.path) as process:
                for number, version in enumerate(versions, 1):
                    late = {"releases": released(process, f"v{version}"), "servers": facts(servers)}
                    if number == EARLY:
                        early = late
                    if number % 10 == 0:
                        told = ", ".join(f"{name} {each['memory'] // 1024} MB" for name, each in late.items())
                        print(f"{number} releases in {time.monotonic() - begun:.0f} s: {told}", file=sys.stderr)
        left = sorted(each.name for each in (here / "tmp").iterdir())
    if not early:
        sys.exit(f"at least {EARLY} releases are needed")
    kinds = ("memory", "descriptors", "threads", "children")
    rows = []
    for name, last in late.items():
        first = early[name]
        rows.append((name, *(f"{first[kind]} to {last[kind]} ({_ratio(first[kind], last[kind])})" for kind in kinds)))
    table(("", *kinds), rows)
    found = [each for name in late for each in problems(name, early[name], late[name])]
    found += [f"left in the folder for temporary files: {', '.join(left[:10])}"] if left else []
    print("\n".join(found or [f"limit: {LIMIT} times the memory, and nothing else more"]))
    return int(bool(found))


def _ratio(first: int, last: int) -> str:
    return f"{last / first:.2f}x" if first else "-"


if __name__ == "__main__":
    sys.exit(main())
