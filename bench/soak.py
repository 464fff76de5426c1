"""Release many versions of a project into one local world, and see whether anything piles up.

    python -m bench.soak [RELEASES]

One process makes all releases (default 200) through the command line's own function, so what one of them leaves behind
is there for the next. Of this process and of the one that serves the world, the memory after the last release is
compared with that after the 20th. Descriptors and threads are compared too. At the end neither process may have a child
that it did not have after the 20th release, and the folder for temporary files has to be empty.

The memory is the anonymous resident memory, from ``/proc``, of what is in use: after a collection of garbage, and after
the C library has given back what is free (``malloc_trim``). glibc keeps freed memory for each thread that it has seen,
and finds its way to that only slowly: the releases run in threads of their own, so it would look like growth. One arena
for all threads (``MALLOC_ARENA_MAX``) lets it give back all of it. What is held stays held, and is counted. The memory
before it was given back is told for comparison.
"""

from __future__ import annotations

import ctypes
import gc
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from bench.measuring import environ, table
from tests.support.killed_releases import repo_of_versions

assert sys.platform == "linux"  # noqa: S101 - what a process has is read from /proc

RELEASES, EARLY = 200, 20
LIMIT = 1.1
"""The most memory after the last release, as a multiple of that after the 20th."""

# Makes a release for each line that it reads: a tag. Prints its exit code, and what this process has then. All output
# goes to one object, since click remembers each stream that it has written to.
_CLIENT = """
import contextlib, io, json, sys
from bench.soak import facts_after_trimming
from unmoor.cli.app import run

world, said = sys.argv[1], io.StringIO()
for line in sys.stdin:
    said.seek(0)
    said.truncate()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = run(["release", "--world", world, line.strip()])
    text = said.getvalue()[-3000:] if code else ""
    print(json.dumps({"code": code, "text": text, **facts_after_trimming()}), flush=True)
"""
# Serves a world. Writes what it has into a file at each SIGUSR1.
_SERVERS = """
import json, signal, sys
from pathlib import Path
from bench.soak import facts_after_trimming
from unmoor.filesystem.files import write_atomic
from unmoor.rehearsal import serve

answer = Path(sys.argv.pop(1))
signal.signal(signal.SIGUSR1, lambda *_: write_atomic(answer, json.dumps(facts_after_trimming()).encode(), sync=False))
sys.exit(serve.main())
"""
_PATIENCE = 120.0
"""Seconds to wait for a process that does little."""


def facts() -> dict[str, int]:
    """What this process has: kilobytes of memory, descriptors, threads, children."""
    place = Path("/proc/self")
    status = dict(line.split(":", 1) for line in (place / "status").read_text().splitlines() if ":" in line)
    children = " ".join(each.read_text() for each in (place / "task").glob("*/children")).split()
    return {
        "memory": int(status["RssAnon"].split()[0]),
        "descriptors": sum(1 for _ in (place / "fd").iterdir()),
        "threads": int(status["Threads"]),
        "children": len(children),
    }


def facts_after_trimming() -> dict[str, int]:
    """What this process has once all free memory is given back, and the memory before that."""
    gc.collect()
    resident = facts()["memory"]
    ctypes.CDLL(None).malloc_trim(0)
    return {**facts(), "resident": resident}


class Servers:
    """The process that serves the world."""

    def __init__(self, here: Path, checkout: Path) -> None:
        self._answer = here / "servers.json"
        folder = here / "world"
        command = [sys.executable, "-c", _SERVERS, str(self._answer), str(folder)]
        command += ["--repository", "acme/small", "--checkout", str(checkout)]
        self.process = subprocess.Popen(
            command, cwd=here, env=_environ(here), text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.world = Path(json.loads(_line(self.process, "the servers"))["world"])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin is not None  # noqa: S101 - set by PIPE above
        self.process.stdin.close()
        self.process.wait(_PATIENCE)

    def facts(self) -> dict[str, int]:
        """Ask for what it has."""
        self._answer.unlink(missing_ok=True)
        self.process.send_signal(signal.SIGUSR1)
        until = time.monotonic() + _PATIENCE
        while not self._answer.exists():
            if time.monotonic() > until or self.process.poll() is not None:
                sys.exit("the servers do not answer")
            time.sleep(0.01)
        found: dict[str, int] = json.loads(self._answer.read_bytes())
        return found


def _environ(here: Path, **more: str) -> dict[str, str]:
    state, root = str(here / "state"), str(Path(__file__).parents[1])
    return environ(MALLOC_ARENA_MAX="1", PYTHONPATH=root, XDG_STATE_HOME=state) | more


def _line(process: subprocess.Popen[str], what: str) -> str:
    assert process.stdout is not None  # noqa: S101 - set by PIPE
    line = process.stdout.readline()
    return line or sys.exit(f"{what} ended too early")


@contextmanager
def releases(here: Path, world: Path, checkout: Path) -> Iterator[subprocess.Popen[str]]:
    """Run the process that makes the releases."""
    temporary = here / "tmp"
    temporary.mkdir()
    env = _environ(here, TMPDIR=str(temporary))
    command = [sys.executable, "-c", _CLIENT, str(world)]
    with subprocess.Popen(
        command, cwd=checkout, env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        yield process
        assert process.stdin is not None  # noqa: S101 - set by PIPE above
        process.stdin.close()
        process.wait(_PATIENCE)


def released(process: subprocess.Popen[str], tag: str) -> dict[str, Any]:
    """Make one release, and return what the process has after it."""
    assert process.stdin is not None  # noqa: S101 - set by PIPE above
    process.stdin.write(f"{tag}\n")
    process.stdin.flush()
    found: dict[str, Any] = json.loads(_line(process, f"the release of {tag}"))
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
        with Servers(here, repo.path) as servers:
            begun = time.monotonic()
            with releases(here, servers.world, repo.path) as process:
                for number, version in enumerate(versions, 1):
                    late = {"releases": released(process, f"v{version}"), "servers": servers.facts()}
                    if number == EARLY:
                        early = late
                    if number % 10 == 0:
                        told = ", ".join(f"{name} {each['memory'] / 1024:.1f} MB" for name, each in late.items())
                        print(f"{number} releases in {time.monotonic() - begun:.0f} s: {told}", file=sys.stderr)
        left = sorted(each.name for each in (here / "tmp").iterdir())
    if not early:
        sys.exit(f"at least {EARLY} releases are needed")
    kinds = ("memory", "resident", "descriptors", "threads", "children")
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
