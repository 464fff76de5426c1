"""Each fault of a server in a running world: what the client sees, whether the work was done, what is written down."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from tests.rehearsal.conftest import FILE_LIMIT, IndexClient, index_of, requests_of
from tests.rehearsal.index.made_dists import Upload, wheel
from tests.support.git_repos import Repo

from unmoor.rehearsal import local
from unmoor.rehearsal.faults import control
from unmoor.rehearsal.local import LocalWorld

JSON = "application/vnd.pypi.simple.v1+json"
RELEASES = "/repos/{owner}/{repo}/releases"
RESET, CLOSED, TIMEOUT = "reset", "closed", "time-out"


@dataclass(frozen=True, kw_only=True)
class Work:
    """A request that changes something, its address, and whether that is there."""

    address: str
    send: Callable[..., requests.Response]
    is_done: Callable[[], bool]


def upload(world: LocalWorld, index: IndexClient) -> Work:
    """Upload a file."""
    name = f"demo-{uuid.uuid4().hex[:12]}"
    offer = Upload.of(wheel(name, "1.0"), name, "1.0")

    def send(seconds: float = 20) -> requests.Response:
        return requests.post(
            f"{world.addresses['pypi']}/legacy/",
            data=offer.form,
            files={"content": (offer.filename, offer.data, "application/octet-stream")},
            auth=("__token__", index.token),
            timeout=seconds,
        )

    return Work(
        address="pypi:POST /legacy/", send=send, is_done=lambda: index.get(f"/simple/{name}/").status_code == 200
    )


def draft(world: LocalWorld, _index: IndexClient) -> Work:
    """Make a draft."""
    title = uuid.uuid4().hex
    token = json.loads((world.folder / "credentials.json").read_text())["forge"]
    address = f"{world.addresses['forge']}/api/v3/repos/acme/demo/releases"
    headers = {"Authorization": f"Bearer {token}"}
    body = {"tag_name": "v0.1.0", "name": title, "draft": True}

    def is_done() -> bool:
        listed = requests.get(address, params={"per_page": "100"}, headers=headers, timeout=20).json()
        return any(each["name"] == title for each in listed)

    return Work(
        address=f"forge:POST {RELEASES}",
        send=lambda seconds=20: requests.post(address, json=body, headers=headers, timeout=seconds),
        is_done=is_done,
    )


WORKS = {"upload": upload, "draft": draft}
OUTCOMES: dict[str, tuple[int | str, bool]] = {
    "busy": (429, False),
    "busy-for-hours": (429, False),
    "bad-request": (400, False),
    "forbidden": (403, False),
    "broken": (500, False),
    "bad-gateway": (502, False),
    "down": (503, False),
    "garbage": (200, False),
    "reset-before": (RESET, False),
    "reset-during": (RESET, False),
    "silent": (TIMEOUT, False),
    "lost-reply": (CLOSED, True),
    "reset-after": (RESET, True),
    "broken-after": (500, True),
    "down-after": (503, True),
    "silent-after": (TIMEOUT, True),
    "truncated": (CLOSED, True),
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, _clean_environment: None) -> Iterator[LocalWorld]:
    """Start a world that no other test sees failing, or finds drafts in."""
    folder = tmp_path_factory.mktemp("failing")
    repo = Repo.new(folder / "checkout")
    repo.git("tag", "v0.1.0")
    with local.start(folder / "world", repository="acme/demo", checkout=repo.path, file_limit=FILE_LIMIT) as running:
        yield running


@pytest.fixture(scope="module")
def index(world: LocalWorld) -> IndexClient:
    """The production index of that world."""
    return index_of(world)


@pytest.fixture(autouse=True)
def _no_plan(world: LocalWorld) -> Iterator[None]:
    yield
    control.clear(world.folder)


def seen(send: Callable[..., requests.Response], seconds: float = 20) -> int | str:
    """Return the status that a client sees, or how its connection ends."""
    try:
        answer = send(seconds)
        _ = answer.content
    except requests.Timeout:
        return TIMEOUT
    except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
        # Whoever still sends when the reset comes sees a broken pipe.
        return RESET if any(each in str(error) for each in ("reset by peer", "Broken pipe")) else CLOSED
    return answer.status_code


@pytest.mark.parametrize("work", WORKS.values(), ids=WORKS)
@pytest.mark.parametrize(("fault", "outcome"), OUTCOMES.items(), ids=OUTCOMES)
def test_work_is_done_or_not(
    world: LocalWorld,
    index: IndexClient,
    work: Callable[[LocalWorld, IndexClient], Work],
    fault: str,
    outcome: tuple[int | str, bool],
) -> None:
    """The fault is met once, the server's state is as it says, and the log has what really happened."""
    it, (status, effect) = work(world, index), outcome
    text = f"{fault}@{it.address}#1"
    control.inject(world.folder, text, round=text)
    # A client that still sends when the reset comes may meet it there, and then only sees the end.
    ends = {status, CLOSED} if fault == "reset-before" else {status}
    assert seen(it.send, 0.7 if status == TIMEOUT else 20) in ends
    (met,) = control.met(world.folder, text)
    assert (met.injection, met.number, met.effect) == (text, 1, effect)
    assert it.is_done() is effect
    lines = requests_of(world, fault=text)
    if fault not in {"silent", "reset-during"}:  # their lines come when the client is gone
        assert [line["status"] < 400 for line in lines] == [effect or status == 200]
    again = it.send()
    assert again.status_code < 400
    assert len(control.met(world.folder, text)) == 1


def test_answers_of_each_service(world: LocalWorld) -> None:
    """A refusal has the form of its service, with the wait that it asks for."""
    services = ("pypi", "forge", "sigstore", "storage")
    control.inject(world.folder, *(f"busy@{service}:*#1" for service in services), round="forms")
    answers = {name: requests.get(f"{world.addresses[name]}/x", timeout=5) for name in ("pypi", "forge", "sigstore")}
    assert {answer.headers["retry-after"] for answer in answers.values()} == {"1"}
    assert answers["pypi"].reason == "busy"
    assert answers["forge"].json()["message"] == "busy"
    assert answers["sigstore"].json() == {"code": 429, "message": "busy"}
    met = control.met(world.folder, "forms")
    assert sorted(each.injection for each in met) == ["busy@forge:*#1", "busy@pypi:*#1", "busy@sigstore:*#1"]


@pytest.fixture(scope="module")
def known(world: LocalWorld, index: IndexClient) -> str:
    """Return the name of a project with a file."""
    name = f"known-{uuid.uuid4().hex[:12]}"
    del world
    assert index.send(Upload.of(wheel(name, "1.0"), name, "1.0")).status_code == 200
    return name


@pytest.mark.parametrize("fault", ["malformed", "wrong-digest", "slow-body", "lagging", "stale", "slow", "damaged"])
def test_answers_that_are_changed(world: LocalWorld, index: IndexClient, known: str, fault: str) -> None:
    """The next answer is right."""
    path = index.simple(known)["files"][0]["url"].removeprefix(index.base)
    path, route = (path, "/packages/{path}") if fault == "damaged" else (f"/simple/{known}/", "/simple/{name}/")
    right = index.get(path, JSON)
    control.inject(world.folder, f"{fault}@pypi:GET {route}#1", round=fault)
    begun = time.monotonic()
    wrong = index.get(path, JSON)
    seconds = time.monotonic() - begun
    met = control.met(world.folder, fault)[-1]
    assert (met.effect, met.status) == (True, 200)
    if fault in {"lagging", "stale"}:
        assert wrong.status_code == 404
    elif fault in {"slow", "slow-body"}:
        assert wrong.content == right.content
        assert seconds > 0.3
    else:
        assert len(wrong.content) == len(right.content)
        assert wrong.content != right.content
    if fault == "wrong-digest":
        mine = wrong.json()["files"][0]
        assert mine["hashes"]["sha256"] != right.json()["files"][0]["hashes"]["sha256"]
        assert mine["url"] == right.json()["files"][0]["url"]
        assert wrong.headers["etag"] != right.headers["etag"]
    assert index.get(path, JSON).content == right.content


def test_truncated_file(world: LocalWorld, index: IndexClient, known: str) -> None:
    """Half of a file comes, and its end is an end of the connection."""
    file = index.simple(known)["files"][0]
    control.inject(world.folder, "truncated@pypi:GET /packages/{path}#1")
    answer = requests.get(file["url"], stream=True, timeout=5)
    with answer, pytest.raises(Exception, match="IncompleteRead"):
        answer.raw.read()
    whole = requests.get(file["url"], timeout=5)
    assert hashlib.sha256(whole.content).hexdigest() == file["hashes"]["sha256"]


def test_stale_read_shows_an_earlier_state(world: LocalWorld, index: IndexClient) -> None:
    """The page of before the second upload comes three times after it, then the new one."""
    name = f"demo-{uuid.uuid4().hex[:12]}"
    control.inject(world.folder, "stale@pypi:GET /simple/{name}/#3x3", round="thrice")
    counts = []
    for version in ("1.0", "2.0"):
        assert index.send(Upload.of(wheel(name, version), name, version)).status_code == 200
        counts.append(len(index.simple(name)["files"]))
    counts += [len(index.simple(name)["files"]) for _ in range(4)]
    assert counts == [1, 2, 1, 1, 1, 2]
    assert [(each.number, each.effect) for each in control.met(world.folder, "thrice")] == [
        (3, False),
        (4, False),
        (5, False),
    ]


def test_lagging_list_is_empty(world: LocalWorld, index: IndexClient) -> None:
    """What is a list shows none."""
    it = draft(world, index)
    assert it.send().status_code == 201
    control.inject(world.folder, f"lagging@forge:GET {RELEASES}#1")
    assert not it.is_done()
    assert it.is_done()


def test_expired_token(world: LocalWorld, index: IndexClient) -> None:
    """The server itself refuses the credentials, in its own words, once."""
    for work, status in ((upload, 403), (draft, 401)):
        it = work(world, index)
        control.inject(world.folder, f"expired-token@{it.address}#1")
        assert seen(it.send) == status
        assert not it.is_done()
        assert it.send().status_code < 400


def test_drip(world: LocalWorld) -> None:
    """Bytes come one at a time, until the client goes."""
    control.inject(world.folder, "drip@issuer:*#1", round="drip")
    host, _, port = world.addresses["issuer"].removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(f"GET /token HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        got = b""
        while got.count(b"1\r\n \r\n") < 2:
            got += connection.recv(100)
    assert got.startswith(b"HTTP/1.1 200")
    assert [each.effect for each in control.met(world.folder, "drip")] == [False]


def test_routes_are_counted_each(world: LocalWorld, index: IndexClient) -> None:
    """In threads on several routes, the nth of a route is the nth of that route."""
    texts = ("down@pypi:GET /simple/#5", "down@pypi:GET /pypi/{name}/json#7x2", "down@testpypi:*#9")
    control.inject(world.folder, *texts, round="threads")
    testpypi = world.addresses["testpypi"]
    paths = {f"{index.base}/simple/": 20, f"{index.base}/pypi/none/json": 20, f"{testpypi}/simple/": 20}

    def ask(address: str) -> tuple[str, int]:
        return address, requests.get(address, timeout=20).status_code

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, [path for _ in range(20) for path in paths]))
    failed = {path: sum(status == 503 for at, status in answers if at == path) for path in paths}
    assert list(failed.values()) == [1, 2, 1]
    assert sorted((each.injection, each.number) for each in control.met(world.folder, "threads")) == sorted(
        [(texts[0], 5), (texts[1], 7), (texts[1], 8), (texts[2], 9)]
    )


def test_a_new_plan_counts_from_nothing(world: LocalWorld, index: IndexClient) -> None:
    """The same plan, written again, is met again."""
    for _ in range(2):
        control.inject(world.folder, "down@pypi:GET /simple/#2")
        assert [index.get("/simple/").status_code for _ in range(3)] == [200, 503, 200]


def test_broken_plan_stops_every_request(world: LocalWorld, index: IndexClient) -> None:
    """A plan that cannot be read is never taken for none."""
    for text in ("{", '{"injections": ["none@pypi:*#1"]}'):
        (world.folder / control.PLAN).write_text(text, encoding="utf-8")
        answer = index.get("/simple/")
        assert answer.status_code == 500
        assert control.PLAN in answer.text
    control.clear(world.folder)
    assert index.get("/simple/").status_code == 200


@dataclass(frozen=True, kw_only=True)
class Client:
    """A process that uploads a file once it is told to."""

    process: subprocess.Popen[bytes]

    @classmethod
    def start(cls, world: LocalWorld, folder: Path, request: dict[str, Any]) -> Client:
        """Write its id where the plan says, and send a request."""
        script = (
            "import json, os, sys, urllib.request as u\n"
            "told = json.loads(sys.argv[1])\n"
            "open(told['pid'], 'w').write(str(os.getpid()))\n"
            "request = u.Request(told['url'], data=told['data'].encode(), headers=told['headers'])\n"
            "u.urlopen(request, timeout=20).read()\n"
        )
        told = {**request, "pid": str(world.folder / "client.pid")}
        return cls(process=subprocess.Popen([sys.executable, "-c", script, json.dumps(told)], cwd=folder))


@pytest.mark.parametrize(("signal", "code"), [("KILL", -9), ("TERM", -15)])
@pytest.mark.parametrize("when", ["before", "after"])
def test_client_is_killed(world: LocalWorld, tmp_path: Path, signal: str, code: int, when: str) -> None:
    """The client is gone before its request ends, and the work is done only if it is killed after it."""
    title = uuid.uuid4().hex
    token = json.loads((world.folder / "credentials.json").read_text())["forge"]
    address = f"{world.addresses['forge']}/api/v3/repos/acme/demo/releases"
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    data = json.dumps({"tag_name": "v0.1.0", "name": title, "draft": True})
    text = f"{signal}@forge:POST {RELEASES}#1:{when}"
    control.inject(world.folder, text, round=title)
    client = Client.start(world, tmp_path, {"url": address, "headers": headers, "data": data})
    assert client.process.wait(20) == code
    (met,) = control.met(world.folder, title)
    assert (met.injection, met.effect) == (text, when == "after")
    listed = requests.get(address, params={"per_page": "100"}, headers=headers, timeout=20).json()
    assert any(each["name"] == title for each in listed) is (when == "after")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("pid", [None, os.getpid(), os.getppid()], ids=["nobody", "starter", "stranger"])
def test_a_kill_without_a_client(world: LocalWorld, index: IndexClient, pid: int | None, when: str) -> None:
    """A process that whoever started the world did not start gets no signal: the request goes on, nothing is met."""
    name = world.folder / "client.pid"
    name.unlink(missing_ok=True)
    if pid is not None:
        name.write_text(str(pid), encoding="utf-8")
    control.inject(world.folder, f"KILL@pypi:GET /simple/#1:{when}", round=f"{pid}{when}")
    assert index.get("/simple/").status_code == 200
    assert control.met(world.folder, f"{pid}{when}") == ()


def test_remote_changes_at_a_request(world: LocalWorld, index: IndexClient) -> None:
    """The tag moves while a request arrives, which is answered as usual."""

    def tag() -> str:
        command = ["git", f"--git-dir={world.folder / 'remote.git'}", "rev-parse", "v0.1.0^{commit}"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    before = tag()
    control.inject(world.folder, "moved-tag@pypi:GET /simple/#1", "down@pypi:GET /simple/#1", tag="v0.1.0", round="tag")
    assert index.get("/simple/").status_code == 503
    assert tag() != before
    assert [each.effect for each in control.met(world.folder, "tag")] == [True, False]
