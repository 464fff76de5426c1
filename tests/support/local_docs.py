"""Read the Docs of a local world, in a thread, with the tag of one repository."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from starlette.types import ASGIApp
from tests.support.asgi_thread import serve_in_thread
from tests.support.fault_plans import behind_faults, text_of
from tests.support.git_repos import Repo
from tests.support.sample_values import FakeClock, sample_release

from unmoor.adapters.http.session import BoundedSession
from unmoor.adapters.readthedocs import ReadTheDocs
from unmoor.deploy.docs.service import ServiceDeployment
from unmoor.products import Release
from unmoor.rehearsal.faults import control
from unmoor.rehearsal.readthedocs.app import DocsMood, app
from unmoor.util.secret import Secret
from unmoor.util.values import replace

TOKEN = "t" * 40


@dataclass(frozen=True, kw_only=True)
class LocalDocs:
    """A running server. `reset` forgets what happened to it."""

    folder: Path
    address: str
    http: BoundedSession
    release: Release
    clock: FakeClock = field(default_factory=FakeClock)

    def service(self, token: str = TOKEN) -> ReadTheDocs:
        """Return a new adapter."""
        return ReadTheDocs(self.address, "tide", Secret(token), self.http, self.clock)

    def deployment(self, token: str = TOKEN) -> ServiceDeployment:
        """Return what deploys to it."""
        return ServiceDeployment(service=self.service(token), clock=self.clock)

    def reset(self, *moods: DocsMood) -> None:
        """Forget every build and fault, and be odd in these ways."""
        control.clear(self.folder)
        for path in (*map(self.folder.joinpath, DocsMood), self.folder / "record.json"):
            path.unlink(missing_ok=True)
        (self.folder / "requests.jsonl").write_bytes(b"")
        for mood in moods:
            (self.folder / mood).touch()

    def fail(self, fault: str, at: str = "*") -> None:
        """Let requests of an address fail, all or the first one; see `fault_plans`."""
        control.inject(self.folder, text_of(fault, "readthedocs", at))

    def sent(self) -> list[str]:
        """The requests that change something, as ``METHOD PATH`` below the project."""
        lines = (self.folder / "requests.jsonl").read_text("utf-8").splitlines()
        found = [(each["method"], each["path"].partition("/tide/")[2]) for each in map(json.loads, lines)]
        return [f"{method} {path}" for method, path in found if method != "GET"]


@contextmanager
def start_docs(folder: Path) -> Iterator[LocalDocs]:
    """Serve until the end of the block."""
    repo = Repo.new(folder / "repo")
    repo.git("tag", "v1.0")
    repo.remote(folder / "remote.git")
    served = folder / "readthedocs"
    served.mkdir()
    log = os.open(served / "requests.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def make(address: str) -> ASGIApp:
        return behind_faults(app(served, base=address, token=TOKEN), service="readthedocs", folder=served, log=log)

    release = replace(sample_release(), commit=repo.git("rev-parse", "HEAD"))
    try:
        with serve_in_thread(make) as address, BoundedSession() as http:
            yield LocalDocs(folder=served, address=address, http=http, release=release)
    finally:
        os.close(log)
