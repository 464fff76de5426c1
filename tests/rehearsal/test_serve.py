"""The process of a local world: what it writes, the state it keeps, and that it never outlives its parent."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from tests.rehearsal.conftest import IndexClient, world_table
from tests.rehearsal.github.contract import ForgeClient
from tests.rehearsal.index.made_dists import Upload, wheel
from tests.support.git_repos import Repo

from unmoor.config.worlds import read_world
from unmoor.errors import ConfigError, Refused, UnmoorError
from unmoor.filesystem.safe_folder import OWN
from unmoor.ports.system import MACOS, WINDOWS, System
from unmoor.rehearsal import local, serve
from unmoor.rehearsal.local import LocalWorld
from unmoor.rehearsal.options import Options, options

pytestmark = pytest.mark.journey  # real builds, clones or servers, one after the other

PATIENCE = 10.0


@contextmanager
def served(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, Any]]]:
    """Start the servers by hand, and return what they print when they are ready."""
    command = [sys.executable, "-m", "unmoor.rehearsal.serve", str(folder), "--repository", "acme/demo"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


def test_world_file(world: LocalWorld) -> None:
    """Only the owner can read the world file and the credentials; addresses are loopback."""
    for name in ("world.toml", "credentials.json"):
        assert stat.S_IMODE((world.folder / name).stat().st_mode) == 0o600
    read = world_table(world)
    assert (read["name"], read["rehearsal"], read["dependencies"]) == ("local", True, {"simple": ""})
    assert read["git"]["remote"] == str(world.folder / "remote.git")
    assert read["forge"]["api"] == f"{world.addresses['forge']}/api/v3"
    for table, name in (("index", "pypi"), ("staging", "testpypi")):
        assert read[table]["name"] == name
        assert read[table]["upload"] == f"{world.addresses[name]}/legacy/"
        assert read[table]["username"] == "__token__"
    assert all(address.startswith("http://127.0.0.1:") for address in world.addresses.values())


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "localhost:{port}", "127.0.0.1", "127.0.0.1:1", "[::1]:{port}", ""]
)
def test_answers_only_as_itself(world: LocalWorld, host: str) -> None:
    """No server answers to another Host: a web page could reach it through a name of its own that leads here."""
    for address in (*world.addresses.values(), *world.registries.values()):
        named = host.format(port=address.rpartition(":")[2])
        answer = requests.get(f"{address}/", headers={"Host": named}, timeout=PATIENCE)
        assert answer.status_code == 421
        assert "answers only as 127.0.0.1:" in answer.text
        assert requests.get(f"{address}/", timeout=PATIENCE).status_code != 421


@pytest.mark.parametrize("before", [None, 0o755, 0o777])
def test_only_its_owner_enters_the_folder(tmp_path: Path, before: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is closed when it is made, and below ``.unmoor`` also if it was open before."""
    folder = tmp_path / OWN / "world"
    if before is not None:
        folder.mkdir(parents=True)
        folder.chmod(before)
    made: dict[str, int] = {}
    mkdir = os.mkdir

    def record(path: str, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        mkdir(path, mode, dir_fd=dir_fd)
        made.setdefault(Path(path).name, mode)

    monkeypatch.setattr(os, "mkdir", record)
    monkeypatch.chdir(tmp_path)
    with local.start(folder, repository="acme/demo", checkout=None):
        assert made.get("world") == (None if before is not None else 0o700)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_restart_keeps_the_state(tmp_path: Path) -> None:
    """A world that is started again after a kill has the same addresses, credentials, files, releases and tags."""
    repo, upload = Repo.new(tmp_path / "checkout"), Upload.of(wheel("demo", "1.0"), "demo", "1.0")
    with local.start(tmp_path / "world", repository="acme/demo", checkout=repo.path) as first:
        read = world_table(first)
        index = IndexClient(first.addresses["pypi"], read["index"]["password"], first.folder)
        assert index.send(upload).status_code == 200
        forge = ForgeClient(first.addresses["forge"], read["forge"]["token"])
        release = forge.make("v1.0", target_commitish="main", draft=False)
        forge.attach(release, "a.txt", b"text")
        first.process.kill()
    (tmp_path / "world" / "pypi" / "incoming" / ".begun.part").touch()
    repo.git("branch", "later")
    with local.start(tmp_path / "world", repository="acme/demo", checkout=repo.path) as second:
        again = world_table(second)
        assert (again, second.moved) == (read, {})
        index = IndexClient(second.addresses["pypi"], read["index"]["password"], second.folder)
        assert index.send(upload).status_code == 200
        assert [file["filename"] for file in index.simple("demo")["files"]] == [upload.filename]
        release = ForgeClient(second.addresses["forge"], again["forge"]["token"]).call("GET", "/releases/latest").json()
        assert requests.get(release["assets"][0]["browser_download_url"], timeout=20).content == b"text"
    assert list((tmp_path / "world").rglob("*.part")) == []
    assert "later" not in Repo(tmp_path / "world" / "remote.git").git("branch", "--list")


ENDS: dict[str, Callable[[subprocess.Popen[bytes]], None]] = {
    "stdin closed": lambda process: process.stdin.close() if process.stdin else None,
    "SIGTERM": lambda process: process.send_signal(signal.SIGTERM),
    "SIGINT": lambda process: process.send_signal(signal.SIGINT),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_ends(tmp_path: Path, end: Callable[[subprocess.Popen[bytes]], None]) -> None:
    """The servers exit at the end of their stdin and on the usual signals, and stop listening."""
    with served(tmp_path / "world") as (process, ready):
        assert requests.get(f"{ready['pypi']}/simple/", timeout=20).status_code == 200
        end(process)
        process.wait(PATIENCE)
        with pytest.raises(requests.ConnectionError):
            requests.get(f"{ready['pypi']}/simple/", timeout=20)


def test_ends_in_the_middle_of_an_upload(tmp_path: Path) -> None:
    """A request that never ends does not keep the servers alive."""
    with served(tmp_path / "world") as (process, ready):
        host, _, port = ready["forge"].removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            connection.sendall(
                b"POST /api/v3/repos/acme/demo/releases HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{"
            )
            assert process.stdin is not None
            process.stdin.close()
            process.wait(PATIENCE)


def test_dies_with_its_parent(tmp_path: Path) -> None:
    """A parent that is killed with -9 takes the servers with it."""
    code = (
        "import sys, time, pathlib; from unmoor.rehearsal import local\n"
        "world = local.start(pathlib.Path(sys.argv[1]), repository='acme/demo', checkout=None)\n"
        "print(world.process.pid, flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "world")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        watched = psutil.Process(int(parent.stdout.readline()))
        assert watched.is_running()
        parent.kill()
        watched.wait(PATIENCE)  # else the servers outlive their parent


def test_servers_that_are_told_nothing_end(tmp_path: Path) -> None:
    """Servers that wait for what to serve end with the block, and with their parent; they have made nothing."""
    with local.Beginning(tmp_path / "world") as beginning:
        process = beginning._process
        assert process.poll() is None
    assert process.poll() not in {None, 0}
    with subprocess.Popen([sys.executable, "-m", "unmoor.rehearsal.serve"], stdin=subprocess.PIPE) as alone:
        assert alone.stdin is not None
        alone.stdin.close()
        assert alone.wait(PATIENCE) == 0
    assert [each.name for each in (tmp_path / "world").iterdir()] == []


def test_one_world_a_folder(world: LocalWorld) -> None:
    """A folder has one running world; a second one is refused, and the first continues."""
    with pytest.raises(Refused, match="another world is running here") as caught:
        local.start(world.folder, repository="acme/demo", checkout=None)
    assert caught.value.where == str(world.folder)
    assert requests.get(f"{world.addresses['pypi']}/simple/", timeout=20).status_code == 200


@pytest.mark.parametrize(
    ("repository", "checkout", "kind", "words"),
    [
        ("acme", None, ConfigError, "'acme' is not a repository"),
        ("a/b/c", None, ConfigError, "'a/b/c' is not a repository"),
        ("acme/demo\n", None, ConfigError, "is not a repository"),
        ("acme/demo", "nothing", Refused, "the checkout cannot be cloned"),
    ],
)
def test_cannot_start(
    tmp_path: Path, repository: str, checkout: str | None, kind: type[UnmoorError], words: str
) -> None:
    """A world that cannot start is refused with the reason and the next step, and nothing is left running."""
    with pytest.raises(kind, match=words) as caught:
        local.start(tmp_path / "world", repository=repository, checkout=tmp_path / checkout if checkout else None)
    assert caught.value.next_step


def test_secrets_stay_with_us(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The servers do not get the tokens and passwords in the environment."""
    for name in ("GITHUB_TOKEN", "TWINE_PASSWORD", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "very-secret")
    with local.start(tmp_path / "world", repository="acme/demo", checkout=None) as world:
        assert b"very-secret" not in Path(f"/proc/{world.process.pid}/environ").read_bytes()


def test_stopping_twice(tmp_path: Path) -> None:
    """Stopping a stopped world does nothing, and the servers exited by themselves."""
    with local.start(tmp_path / "world", repository="acme/demo", checkout=None) as world:
        world.stop()
    assert world.process.poll() == 0
    assert (world.folder / "serve.log").read_bytes() == b""


def test_the_clone_ignores_our_git_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The remote is cloned from the given checkout, whatever git's environment variables say."""
    repo, other = Repo.new(tmp_path / "checkout"), Repo.new(tmp_path / "other")
    repo.git("tag", "v1.0")
    monkeypatch.setenv("GIT_DIR", str(other.path / ".git"))
    with local.start(tmp_path / "world", repository="acme/demo", checkout=repo.path) as world:
        found = ForgeClient(world.addresses["forge"], "").call("GET", "/git/matching-refs/tags%2Fv").json()
    assert [ref["ref"] for ref in found] == ["refs/tags/v1.0"]


@pytest.mark.parametrize("system", [MACOS, WINDOWS])
def test_a_world_elsewhere_than_on_linux_has_no_registry(tmp_path: Path, system: System) -> None:
    """It looks for no program and no engine, and says why; its other servers are the same."""
    chosen = options([str(tmp_path), "--repository", "acme/demo", "--registry", "ghcr.io"])
    started: Any = None  # nothing is started

    assert serve.begin_registries(chosen, started, {}, system) == (
        {},
        f"images are released on Linux only, and this is {system.title}",
    )
    assert list(tmp_path.iterdir()) == []


def test_options() -> None:
    """The command line has the folder, the repository, the checkout and the file limit."""
    chosen = options(["dir", "--repository", "acme/demo", "--checkout", "x", "--file-limit", "5"])
    assert chosen == Options(folder=Path("dir").absolute(), repository="acme/demo", checkout=Path("x"), file_limit=5)


def test_our_own_reader_takes_the_world_file(world: LocalWorld) -> None:
    """The reader of world files accepts the file unchanged."""
    read = read_world(world.world_file, {})
    assert (read.rehearsal, read.forge.repository, read.remote) == (
        True,
        "acme/demo",
        str(world.folder / "remote.git"),
    )
    assert read.index.login.secret.reveal() == world_table(world)["index"]["password"]
