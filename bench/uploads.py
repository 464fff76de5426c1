"""Compare uploads by unmoor and by `twine upload` to an index that answers after 150 ms, and how they grow.

    python -m bench.uploads [TRIES]

The index is a small server on this machine. It accepts every file, answers after 150 ms, and lists its files. Both
clients run in turns as processes of the same environment with compiled bytecode: once without counting, then TRIES
times (default 3). Each uploads 60 wheels and an sdist to an empty index. The time of unmoor includes a look before the
uploads and reading everything back by hash. The cost of one more wheel comes from runs with 10, 60 and 200 wheels: the
increase from 60 to 200, divided by 140, is compared with the increase from 10 to 60, divided by 50. Times are medians.
"""

from __future__ import annotations

import hashlib
import json
import re
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from bench.measuring import ROOT, environ, environment, run, seconds, table
from tests.rehearsal.index import made_dists

WHEELS, LATENCY = 60, 0.15
FEW, MANY = 10, 200
LIMIT = 0.2
"""The largest part of twine's time that unmoor may take."""
GROWTH = 1.2
"""How much more time a file may take among many files than among few, as a factor."""

OURS = """
import sys
from pathlib import Path
from unmoor.adapters.clock import MonotonicClock
from unmoor.adapters.http.session import BoundedSession
from unmoor.adapters.index import PackageIndex
from unmoor.adapters.process.supervisor import Processes
from unmoor.artifacts.files import describe_file
from unmoor.util.secret import Secret
from unmoor.products import Dists, Release
from unmoor.publish.upload import upload
from unmoor.ports.world import IndexPlace, Login
url = sys.argv[1]
place = IndexPlace(name="bench", upload=url + "/legacy/", simple=url + "/simple/", json="", page="",
                   login=Login(username="__token__", secret=Secret("throw-away"), origin="the bench"))
release = Release(repository="bench/demo", project="demo", tag="v1.0", version="1.0", commit="0" * 40, date=0,
                  prerelease=False, highest=True)
dists = Dists(files=tuple(describe_file(path) for path in sorted(Path(sys.argv[2]).iterdir())))
with Processes() as processes, BoundedSession() as http:
    clock = MonotonicClock(processes=processes)
    index = PackageIndex(place, http, clock)
    upload(index, release, dists, clock=clock, say=lambda _: None)
"""


@dataclass
class StoredFiles:
    """The files of the index: sha256 by name."""

    files: dict[str, str] = field(default_factory=dict)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    stored: StoredFiles

    def do_POST(self) -> None:
        """Store a file."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        boundary = self.headers["Content-Type"].partition("boundary=")[2].encode()
        found = re.search(rb'name="content"; filename="([^"]+)"\r\n[^\r]*\r\n\r\n', body)
        assert found is not None  # noqa: S101 - both clients are known
        data = body[found.end() : body.index(b"\r\n--" + boundary, found.end())]
        time.sleep(LATENCY)
        self.stored.files[found[1].decode()] = hashlib.sha256(data).hexdigest()
        self._answer(b"")

    def do_GET(self) -> None:
        """List the files."""
        time.sleep(LATENCY)
        files = [{"filename": n, "url": f"/{n}", "hashes": {"sha256": h}} for n, h in self.stored.files.items()]
        self._answer(json.dumps({"meta": {"api-version": "1.0"}, "name": "demo", "files": files}).encode())

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/vnd.pypi.simple.v1+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Do not log requests."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


@contextmanager
def index() -> Iterator[tuple[str, StoredFiles]]:
    """Run the index. Gives its address and its files."""
    stored = StoredFiles()
    with _Server(("127.0.0.1", 0), type("_Bound", (_Handler,), {"stored": stored})) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", stored
        finally:
            server.shutdown()


def files(folder: Path, wheels: int) -> Path:
    """Write a number of wheels and an sdist."""
    made = [
        made_dists.wheel("demo", "1.0", tag=f"cp3{n}-abi3-win32", source="#" * 20_000) for n in range(10, 10 + wheels)
    ]
    made_dists.write(folder, *made, made_dists.sdist("demo", "1.0"))
    return folder


def time_upload(command: Sequence[str | Path], folder: Path) -> float:
    """Upload a folder to an empty index and return the seconds. Exit with an error if a file did not arrive."""
    with index() as (url, stored):
        took = seconds([each if each != "URL" else url for each in command], cwd=folder, env=environ())
        expected = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
        if stored.files != expected:
            sys.exit(f"{len(stored.files)} of {len(expected)} files arrived")
    return took


def main() -> int:
    """Measure and print a table. Return 1 if a limit is exceeded."""
    tries = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    scripts = environment("uploads", str(ROOT))
    run([scripts / "python", "-m", "compileall", "-q", ROOT / "src"], cwd=ROOT)
    with tempfile.TemporaryDirectory(prefix="unmoor-bench-") as temporary:
        folders = {count: files(Path(temporary) / str(count), count) for count in (FEW, WHEELS, MANY)}
        ours: dict[int, list[str | Path]] = {
            n: [scripts / "python", "-c", OURS, "URL", folder] for n, folder in folders.items()
        }
        login = ["-u", "__token__", "-p", "throw-away", "--disable-progress-bar", "--non-interactive"]
        sent = sorted(str(path) for path in folders[WHEELS].iterdir())
        twine: list[str | Path] = [scripts / "twine", "upload", *login, "--repository-url", "URL", *sent]
        times: dict[str, list[float]] = {"ours": [], "twine": [], "few": [], "many": []}
        for _ in range(tries + 1):
            times["ours"].append(time_upload(ours[WHEELS], folders[WHEELS]))
            times["twine"].append(time_upload(twine, folders[WHEELS]))
            times["few"].append(time_upload(ours[FEW], folders[FEW]))
            times["many"].append(time_upload(ours[MANY], folders[MANY]))
        middle = {name: statistics.median(each[1:]) for name, each in times.items()}
    ratio = middle["ours"] / middle["twine"]
    early = (middle["ours"] - middle["few"]) / (WHEELS - FEW)
    late = (middle["many"] - middle["ours"]) / (MANY - WHEELS)
    table(
        ("", "seconds", "each further wheel"),
        [
            (f"twine upload, {WHEELS} wheels", f"{middle['twine']:.2f}", ""),
            (f"unmoor, {FEW} wheels", f"{middle['few']:.2f}", ""),
            (f"unmoor, {WHEELS} wheels", f"{middle['ours']:.2f}", f"{early:.4f}"),
            (f"unmoor, {MANY} wheels", f"{middle['many']:.2f}", f"{late:.4f}"),
        ],
    )
    print(f"unmoor / twine: {ratio:.2f} (at most {LIMIT})")
    print(f"each wheel after {WHEELS} / each wheel after {FEW}: {late / early:.2f} (at most {GROWTH})")
    return int(ratio > LIMIT or late > early * GROWTH)


if __name__ == "__main__":
    sys.exit(main())
