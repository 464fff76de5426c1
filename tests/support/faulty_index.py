"""A small package index whose answers a test can replace, with a clock and files for it."""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
import tarfile
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.rehearsal.index import made_dists
from tests.support.faulty_server import Exchange, FaultyServer, run_server
from tests.support.sample_values import FakeClock

from unmoor.adapters.http.limits import Bounds
from unmoor.adapters.http.session import BoundedSession
from unmoor.adapters.index import PackageIndex
from unmoor.artifacts.files import describe_file
from unmoor.ports.clock import Clock
from unmoor.ports.world import IndexPlace, Login
from unmoor.products import File
from unmoor.util.secret import Secret

TOKEN = "pypi-throw-away"
BOUNDS = Bounds(connect=5.0, stall=10.0, total=20.0)


@dataclass
class FaultyIndex:
    """The files of the index, the uploads that it got, and the answers that replace its own.

    ``uploads`` and ``reads`` answer the next requests, in order. ``lag`` is the number of pages that still show no
    files. ``simple_behind`` hides all files from the simple pages, and ``without_hash`` all digests.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    stored: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    uploads: deque[Callable[[Exchange, FaultyIndex, str, bytes], None]] = field(default_factory=deque)
    reads: deque[Callable[[Exchange], None]] = field(default_factory=deque)
    simple_behind: bool = False
    lag: int = 0
    without_hash: bool = False

    def keep(self, name: str, data: bytes) -> None:
        """Store a file, and note that it was stored."""
        self.files[name] = data
        self.stored.append(name)

    def __call__(self, exchange: Exchange) -> None:
        """Answer a request."""
        if exchange.command == "POST":
            self._upload(exchange)
        elif self.reads:
            self.reads.popleft()(exchange)
        elif exchange.path.startswith("/files/"):
            exchange.answer(200, self.files[exchange.path.removeprefix("/files/")])
        else:
            self._page(exchange)

    def _upload(self, exchange: Exchange) -> None:
        name, data = uploaded_file(exchange)
        self.sent.append(name)
        if self.uploads:
            self.uploads.popleft()(exchange, self, name, data)
        elif self.files.get(name, data) != data:
            exchange.answer(400, reason=f"File already exists ('{name}')")
        else:
            if name not in self.files:
                self.keep(name, data)
            exchange.answer()

    def _page(self, exchange: Exchange) -> None:
        self.lag = max(0, self.lag - 1)
        shown = {} if self.lag else self.files
        if exchange.path.startswith("/simple/"):
            shown = {} if self.simple_behind else shown
            page: Any = {"meta": {"api-version": "1.1"}, "name": "demo", "files": self._entries(shown, "hashes")}
        else:
            page = {"info": {"name": "demo", "version": "1.0"}, "urls": self._entries(shown, "digests")}
        if shown:
            kind = "application/vnd.pypi.simple.v1+json" if "files" in page else "application/json"
            exchange.json(page, kind=kind)
        else:
            exchange.answer(404)

    def _entries(self, shown: dict[str, bytes], hashes: str) -> list[dict[str, Any]]:
        return [
            {
                "filename": name,
                "url": f"/files/{name}",
                hashes: {} if self.without_hash else {"sha256": hashlib.sha256(data).hexdigest()},
                "size": len(data),
            }
            for name, data in shown.items()
        ]


def uploaded_file(exchange: Exchange) -> tuple[str, bytes]:
    """Return the name and the content of the file in an upload's form."""
    boundary = exchange.headers["Content-Type"].partition("boundary=")[2].encode()
    pattern = rb'name="content"; filename="([^"]+)"\r\n[^\r]*\r\n\r\n(.*?)\r\n--' + re.escape(boundary)
    match = re.search(pattern, exchange.read(), re.DOTALL)
    assert match is not None
    return match[1].decode(), match[2]


def index_place(url: str, *, json: bool = True, token: str = TOKEN) -> IndexPlace:
    """Return an index at an address."""
    return IndexPlace(
        name="example",
        upload=f"{url}/legacy/",
        simple=f"{url}/simple/",
        json=f"{url}/pypi/" if json else "",
        page=f"{url}/project/{{project}}/{{version}}/",
        login=Login(username="__token__", secret=Secret(token), origin="a test's token"),
    )


@dataclass(frozen=True, kw_only=True)
class RunningIndex:
    """A running index, a client for it, and the clock of the client."""

    served: FaultyIndex
    server: FaultyServer
    index: PackageIndex
    clock: FakeClock


@contextlib.contextmanager
def run_index(
    served: FaultyIndex | None = None, *, json: bool = True, bounds: Bounds = BOUNDS
) -> Iterator[RunningIndex]:
    """Run an index and create a client for it."""
    served = served or FaultyIndex()
    clock = FakeClock(time=1000.0)
    with run_server(served) as server, BoundedSession(bounds) as http:
        yield RunningIndex(
            served=served,
            server=server,
            index=PackageIndex(index_place(server.url, json=json), http, clock),
            clock=clock,
        )


@contextlib.contextmanager
def run_script(script: Callable[[Exchange], None], *, json: bool = False, clock: Clock | None = None) -> Iterator[Any]:
    """Run a server with a script. Gives a client for it, and the server."""
    with run_server(script) as server, BoundedSession(BOUNDS) as http:
        yield PackageIndex(index_place(server.url, json=json), http, clock), server


def build_dists(folder: Path, version: str = "1.0", *, more: tuple[str, ...] = ()) -> tuple[File, ...]:
    """Write a wheel for each tag and an sdist of ``demo``, and return them, wheels first."""
    wheels = [made_dists.wheel("demo", version, tag=tag) for tag in ("py3-none-any", *more)]
    return tuple(describe_file(Path(path)) for path in made_dists.write(folder, *wheels, sdist(version)))


def sdist(version: str) -> tuple[str, bytes]:
    """Return the name and the content of an sdist with a module. twine needs members with a common top folder."""
    stem = f"demo-{version}"
    metadata = f"Metadata-Version: 2.4\nName: demo\nVersion: {version}\nRequires-Python: >=3.9\n"
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, text in {"PKG-INFO": metadata, "demo.py": "", "pyproject.toml": ""}.items():
            info = tarfile.TarInfo(f"{stem}/{name}")
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
    return f"{stem}.tar.gz", out.getvalue()
