"""A hub of Spaces that runs in a thread, and files to deploy to it."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from tests.support.asgi_thread import serve_in_thread
from tests.support.fault_plans import behind_faults, text_of
from tests.support.sample_values import FakeClock

from unmoor.adapters.http.session import BoundedSession
from unmoor.adapters.hub import HubSpace
from unmoor.deploy.space.deploying import SpaceDeployer
from unmoor.deploy.space.identity import describe
from unmoor.ports.space_hub import HubFile, SpaceHub
from unmoor.ports.world import Login, SpacePlace
from unmoor.products import SpaceFile
from unmoor.rehearsal.faults import control
from unmoor.rehearsal.hub.app import HubTokens, app
from unmoor.rehearsal.hub.spaces import Change, Mood, Spaces
from unmoor.util.secret import Secret
from unmoor.util.values import replace

REPO = "acme/demo"
TITLE = "Deploy demo 1.0 (v1.0)"
README = b"---\ntitle: Demo\nsdk: gradio\n---\n# Demo\n"
TOKENS = HubTokens(write="hf_" + "w" * 34, read="hf_" + "r" * 34)
APP = b"import demo\n\ndemo.main()\n"


@dataclass(frozen=True, kw_only=True)
class LocalHub:
    """A running hub. Each test has its own Spaces, in a folder that control files can be put into."""

    folder: Path
    address: str
    http: BoundedSession
    clock: FakeClock = field(default_factory=FakeClock)

    @property
    def spaces(self) -> Spaces:
        """The state of the Spaces."""
        return Spaces(self.folder)

    def space(self, repo: str = REPO, *, token: str = TOKENS.write) -> HubSpace:
        """Return a new adapter."""
        login = Login(username="", secret=Secret(token), origin="a test")
        return HubSpace(SpacePlace(address=self.address, login=login), repo, self.http, self.clock)

    def has(self, *moods: Mood) -> None:
        """Let every Space be odd in these ways from now on, and in no other."""
        for mood in Mood:
            (self.folder / mood).unlink(missing_ok=True)
        for mood in moods:
            (self.folder / mood).touch()

    def fail(self, fault: str, at: str = "*") -> None:
        """Let requests of an address fail, all or the first one; see `fault_plans`."""
        control.inject(self.folder, text_of(fault, "hub", at))

    def heal(self) -> None:
        """Let no request fail any more."""
        control.clear(self.folder)

    def requests(self) -> list[tuple[str, str]]:
        """Return the method and the path of each request, without the query."""
        lines = (self.folder / "requests.jsonl").read_text("utf-8").splitlines()
        return [(each["method"], each["path"]) for each in map(json.loads, lines)]

    def commits(self, repo: str = REPO) -> list[str]:
        """Return the titles of the commits, the newest first."""
        return [each.title for each in self.spaces.open(repo).commits]

    def contents(self, repo: str = REPO) -> dict[str, bytes]:
        """Return every file of the Space."""
        tree = self.spaces.open(repo).head.tree
        return {path: self.spaces.bytes_of(blob.sha256) or b"" for path, blob in tree.items()}

    def somebody_commits(self, files: Mapping[str, bytes], repo: str = REPO) -> str:
        """Commit as somebody else."""
        change = Change(title="Somebody else", parent=None, files=files, lfs={}, deleted=())
        return self.spaces.commit(repo, change)


def files_in(folder: Path, contents: Mapping[str, bytes]) -> tuple[SpaceFile, ...]:
    """Write files, and describe them."""
    made = []
    for number, (path, data) in enumerate(sorted(contents.items())):
        source = folder / f"{number}-{len(data)}"
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_bytes(data)
        made.append(describe(path, source))
    return tuple(made)


def deployer(
    hub: LocalHub, files: tuple[SpaceFile, ...], *, space: SpaceHub | None = None, **more: Any
) -> SpaceDeployer:
    """Return what deploys files to the Space."""
    made = SpaceDeployer(
        hub=space or hub.space(), clock=hub.clock, title=TITLE, files=files, critical=("app.py", "README.md")
    )
    return replace(made, **more)


def plain(tree: Mapping[str, HubFile]) -> dict[str, int]:
    """The sizes of the files of a tree."""
    return {path: file.size for path, file in tree.items()}


@contextmanager
def run_hub(folder: Path, *, seconds: float = 0.0) -> Iterator[LocalHub]:
    """Run a hub in a thread. Each answer takes some seconds more."""
    folder.mkdir(parents=True)
    log = os.open(folder / "requests.jsonl", os.O_CREAT | os.O_APPEND | os.O_WRONLY)

    def make(address: str) -> ASGIApp:
        served = app(folder, base=address, tokens=TOKENS)

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            await asyncio.sleep(seconds)
            await served(scope, receive, send)

        return behind_faults(answer, service="hub", folder=folder, log=log)

    try:
        with serve_in_thread(make) as address, BoundedSession() as http:
            yield LocalHub(folder=folder, address=address, http=http)
    finally:
        os.close(log)
