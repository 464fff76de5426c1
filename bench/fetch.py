"""Measure `unmoor metrics fetch` of 1,000 runs from a forge that takes 20 ms for each answer.

    python -m bench.fetch

It is compared with a loop that sends the same requests one after another on one connection. The stand-in for the forge
is a process of its own, and the faster of two rounds counts. The targets are 0.3 times that loop, 120 MB, and three
requests if nothing is new.
"""

from __future__ import annotations

import asyncio
import json
import math
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs, urlsplit

import requests
from bench.measuring import ROOT, environ
from bench.memory import run_measured
from tests.support.git_repos import Repo

RUNS = 1000
JOBS = 10
ROUNDS = 2
ANSWER = 0.02
PAGE = 100
RATIO, MEMORY, REQUESTS = 0.3, 120, 3
API = "/api/v3/repos/acme/demo"
BIN = Path(sys.executable).parent
BEGIN = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=RUNS)
WORLD = """
name = "bench"
rehearsal = true
[index]
upload = "{address}/legacy/"
simple = "{address}/simple/"
[forge]
api = "{address}/api/v3"
repository = "acme/demo"
token = "none"
[git]
remote = "{remote}"
"""


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _run(number: int) -> dict[str, object]:
    created = _time(BEGIN + timedelta(minutes=number))
    return {
        "id": number,
        "name": "CI",
        "path": ".github/workflows/ci.yml",
        "event": "push",
        "head_branch": "main",
        "head_sha": f"{number:040x}",
        "status": "completed",
        "conclusion": "success",
        "run_attempt": 1,
        "created_at": created,
        "run_started_at": created,
        "html_url": f"http://localhost/runs/{number}",
        "head_commit": {"message": "x" * 500},
        "repository": {"description": "y" * 3000},
    }


def _job(run: int, number: int) -> dict[str, object]:
    moment = BEGIN + timedelta(minutes=run)
    return {
        "id": run * 1000 + number,
        "run_attempt": 1,
        "name": f"test ({number})",
        "head_sha": f"{run:040x}",
        "status": "completed",
        "conclusion": "success",
        "created_at": _time(moment),
        "started_at": _time(moment + timedelta(seconds=5)),
        "completed_at": _time(moment + timedelta(seconds=65)),
        "steps": [{"name": f"step {each}", "status": "completed", "conclusion": "success"} for each in range(10)],
    }


def answer(target: str) -> bytes:
    """Return the JSON of one request."""
    parts = urlsplit(target)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    if parts.path == f"{API}/actions/runs":
        since, _, until = query.get("created", "0..9").partition("..")
        found = [each for each in map(_run, reversed(range(RUNS))) if since <= str(each["created_at"]) <= until]
        page = int(query.get("page", "1"))
        return json.dumps({"total_count": len(found), "workflow_runs": found[(page - 1) * PAGE : page * PAGE]}).encode()
    if parts.path.endswith("/jobs"):
        run = int(parts.path.split("/")[-2])
        return json.dumps({"total_count": JOBS, "jobs": [_job(run, each) for each in range(JOBS)]}).encode()
    return b"[]"


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            begun = time.perf_counter()
            body = answer(head.split()[1].decode())
            await asyncio.sleep(max(0.0, ANSWER - (time.perf_counter() - begun)))
            names = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(names.encode() + body)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def _server() -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


def one_after_another(address: str) -> float:
    """Send the requests that a fetch takes, each after the last one was answered, and return the seconds."""
    begun = time.perf_counter()
    with requests.Session() as session:
        for page in range(1, RUNS // PAGE + 1):
            found = session.get(f"{address}{API}/actions/runs", params={"per_page": PAGE, "page": page}, timeout=10)
            for run in found.json()["workflow_runs"]:
                session.get(f"{address}{API}/actions/runs/{run['id']}/jobs", timeout=10).json()
    return time.perf_counter() - begun


def main() -> None:
    """Print the figures."""
    server = subprocess.Popen(
        [sys.executable, "-m", "bench.fetch", "serve"], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    try:
        assert server.stdout is not None  # noqa: S101 - set by PIPE above
        address = server.stdout.readline().strip()
        with TemporaryDirectory() as name:
            repo = Repo.new(Path(name) / "repo", {"pyproject.toml": '[project]\nname = "demo"\nversion = "1.0"\n'})
            world = Path(name) / "world.toml"
            text = WORLD.format(address=address, remote=repo.path)
            world.write_text(text, encoding="utf-8", newline="\n")
            world.chmod(0o600)
            command: list[str | Path] = [BIN / "unmoor", "metrics", "fetch", "--world", world]
            ours, memory, loop = math.inf, 0, math.inf
            for number in range(ROUNDS):
                into = ["--store", f"folder:metrics{number}"]
                seconds, peak = run_measured([*command, *into, "--requests", "5000"], repo.path, environ())
                ours, memory = min(ours, seconds), max(memory, peak)
                loop = min(loop, one_after_another(address))
                kept = (repo.path / f"metrics{number}" / "jobs").iterdir()
                if sum(len(each.read_bytes().splitlines()) for each in kept) != RUNS * JOBS:
                    sys.exit("not every job was kept")
            again = subprocess.run(
                [*command, "--store", "folder:metrics0", "--json"],
                cwd=repo.path,
                env=environ(),
                capture_output=True,
                check=True,
                text=True,
            )
    finally:
        server.kill()
        server.wait()
    print(f"unmoor metrics fetch   {ours:6.2f} s, {memory} MB (target {MEMORY})")
    print(f"one after another      {loop:6.2f} s: {ours / loop:.2f} times that (target {RATIO})")
    print(f"nothing new            {json.loads(again.stdout)['requests']} requests (target {REQUESTS})")


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        asyncio.run(_server())
    else:
        main()
