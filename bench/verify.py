"""Compare verifying a release of 100 MB with downloading the same bytes with one client.

    python -m bench.verify [TRIES]

A local world serves the release: a wheel and an sdist of 25 MB each, on the release page and on the index. All its
servers share a line of 25 MB a second, since without a limit only their own speed counts. The client is curl, which
gets the four files over one connection to each server, one after the other; unmoor also reads lists, signatures and
attestations, and checks all of it. Both run in turns as processes with compiled bytecode: once without counting, then
TRIES times (default 3). Times are medians.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.measuring import ROOT, STOP_TIMEOUT, World, environ, environment, local_world, run, seconds, table

SIZE = 25_000_000
RATE = 25_000_000
"""Bytes a second of the line."""
LIMIT = 1.3
"""The largest part of the client's time that unmoor may take."""
REPOSITORY, PROJECT, VERSION = "acme/large", "large", "1.0"
IDENTITY = ("-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "commit.gpgsign=false")

FILES = {
    "pyproject.toml": """
[build-system]
requires = ["setuptools>=80"]
build-backend = "setuptools.build_meta"
[project]
name = "large"
version = "1.0"
[tool.setuptools.package-data]
large = ["*.bin"]
[tool.unmoor]
repository = "acme/large"
test-command = "python {project}/tests/check.py"
""",
    "MANIFEST.in": "include src/large/*.bin\n",
    "CHANGELOG.md": "# Changes\n\n## 1.0\n\n- It is large.\n",
    "src/large/__init__.py": "",
    "tests/check.py": "import large\n",
}
SLOW = """
import asyncio
import sys
import time
from unmoor.rehearsal import apps, serve
RATE = float(sys.argv[1])
build = apps.build
free = time.monotonic()
def slow(app):
    async def answer(scope, receive, send):
        async def limited(message):
            global free
            now = time.monotonic()
            free = max(free, now) + len(message.get("body", b"")) / RATE
            if free - now > 0.01:
                await asyncio.sleep(free - now)
            await send(message)
        await app(scope, receive, limited)
    return answer
apps.build = lambda *given: slow(build(*given))
sys.exit(serve.main(sys.argv[2:]))
"""


def project(folder: Path) -> Path:
    """Write a project with 25 MB that cannot be compressed, and tag it."""
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "src" / "large" / "data.bin").write_bytes(os.urandom(SIZE))
    for command in (["init", "--quiet"], ["add", "."], [*IDENTITY, "commit", "--quiet", "-m", "All"], ["tag", "v1.0"]):
        run(["git", *command], cwd=folder)
    return folder


@contextmanager
def slow_world(scripts: Path, folder: Path) -> Iterator[World]:
    """Serve a world that has stopped again, on the same ports, over the slow line."""
    process = subprocess.Popen(
        [scripts / "python", "-c", SLOW, str(RATE), str(folder), "--repository", REPOSITORY],
        env=environ(scripts),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None  # noqa: S101 - set by PIPE above
        yield World(Path(json.loads(process.stdout.readline())["world"]))
    finally:
        process.terminate()
        process.wait(STOP_TIMEOUT)


def addresses(world: World) -> list[str]:
    """The addresses of the four files, as the forge's and the index's own lists give them."""
    found = []
    release = f"{world.table['forge']['api']}/repos/{REPOSITORY}/releases/tags/v1.0"
    with urllib.request.urlopen(release, timeout=30) as answer:  # noqa: S310 - on loopback
        found += [each["browser_download_url"] for each in json.load(answer)["assets"]]
    with urllib.request.urlopen(f"{world.table['index']['json']}large/1.0/json", timeout=30) as answer:  # noqa: S310
        found += [each["url"] for each in json.load(answer)["urls"]]
    return [each for each in found if each.endswith((".whl", ".tar.gz"))]


def main() -> int:
    """Measure and print a table. Return 1 if the limit is exceeded."""
    tries = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    scripts = environment("verify", str(ROOT))
    run([scripts / "python", "-m", "compileall", "-q", ROOT / "src"], cwd=ROOT)
    with tempfile.TemporaryDirectory(prefix="unmoor-bench-") as temporary:
        top = Path(temporary)
        here, empty, got = project(top / "large"), top / "empty", top / "got"
        empty.mkdir()
        got.mkdir()
        with local_world(scripts, top / "world", here, "--repository", REPOSITORY) as world:
            env = environ(scripts, XDG_STATE_HOME=str(top / "state"))
            run([scripts / "unmoor", "release", "--world", world.file, "v1.0"], cwd=here, env=env)
        times: dict[str, list[float]] = {"curl": [], "unmoor": []}
        with slow_world(scripts, top / "world") as world:
            files = addresses(world)
            theirs: list[str | Path] = ["curl", "--silent", "--fail", "--location"]
            for number, address in enumerate(files):
                theirs += ["--output", got / str(number), address]
            ours: list[str | Path] = [scripts / "unmoor", "verify", "v1.0", "--from-world", world.file]
            for _ in range(tries + 1):
                times["curl"].append(seconds(theirs, cwd=empty, env=environ(scripts)))
                times["unmoor"].append(seconds(ours, cwd=empty, env=environ(scripts)))
        size = sum(path.stat().st_size for path in got.iterdir())
    middle = {name: statistics.median(each[1:]) for name, each in times.items()}
    ratio = middle["unmoor"] / middle["curl"]
    table(
        (f"{len(files)} files, {size / 1e6:.0f} MB", "seconds"),
        [("curl", f"{middle['curl']:.2f}"), ("unmoor verify", f"{middle['unmoor']:.2f}")],
    )
    print(f"unmoor / curl: {ratio:.2f} (at most {LIMIT})")
    return int(ratio > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
