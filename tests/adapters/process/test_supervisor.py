"""Nothing that was started outlives what started it."""

from __future__ import annotations

import http.server
import json
import os
import signal
import socketserver
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from unmoor.adapters.process import reaper
from unmoor.adapters.process.supervisor import Processes

# A child that starts a grandchild, and one that leaves for a session of its own; each writes its number.
FAMILY = """
echo $$ > "$1/child"
sh -c 'echo $$ > "$1/grandchild"; trap "" TERM; while :; do sleep 0.1; done' sh "$1" &
setsid sh -c 'echo $$ > "$1/escaped"; while :; do sleep 0.1; done' sh "$1" >/dev/null 2>&1 &
while :; do sleep 0.1; done
"""
PARENT = """
import os, sys, threading
from pathlib import Path
from unmoor.adapters.process.supervisor import Processes
from unmoor.adapters.process.shell import LocalShell
from unmoor.errors import Interrupted
processes = Processes()
folder = Path(sys.argv[1])
def work():
    try:
        LocalShell(processes=processes).run(
            ["sh", "-c", sys.argv[2], "sh", str(folder)], cwd=folder, env={"PATH": os.environ["PATH"]}
        )
    except Interrupted:
        (folder / "interrupted").touch()
with processes.guarded():
    thread = threading.Thread(target=work)
    thread.start()
    (folder / "keeper").write_text("")
    while processes._reaper is None:
        pass
    (folder / "keeper").write_text(str(processes._reaper.pid))
    while thread.is_alive():  # a signal that comes just before a wait without end would not be seen in it
        thread.join(0.1)
"""


def awaited(path: Path, within: float = 20.0) -> int:
    """Read the number that a process writes into a file."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if path.exists() and (text := path.read_text().strip()):
            return int(text)
        time.sleep(0.01)
    raise AssertionError(path.name)


def runs(process: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def left_of(numbers: list[int], within: float = 15.0) -> list[int]:
    """Wait until none of them runs, and return those that still do."""
    deadline = time.monotonic() + within
    while (left := [number for number in numbers if runs(number)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


@pytest.mark.parametrize(
    ("number", "background"),
    [(signal.SIGKILL, False), (signal.SIGTERM, False), (signal.SIGINT, False), (signal.SIGINT, True)],
)
def test_no_child_outlives_us(tmp_path: Path, number: signal.Signals, background: bool) -> None:  # noqa: FBT001 # a case
    """Child, grandchild, one in its own session, and the keeper end with us, however we end."""
    program = [sys.executable, "-c", PARENT, str(tmp_path), FAMILY]
    # A shell without job control starts what it runs in the background with INT ignored.
    if background:
        program = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", *program]
    parent = subprocess.Popen(program)
    numbers = [awaited(tmp_path / name) for name in ("child", "grandchild", "escaped", "keeper")]
    assert all(runs(each) for each in numbers)
    parent.send_signal(number)
    parent.wait(20)
    assert left_of(numbers) == []
    assert (tmp_path / "interrupted").exists() == (number != signal.SIGKILL)


def test_keeper_is_started_by_the_first_program_and_ends_at_close(tmp_path: Path) -> None:
    """Nothing runs before the first program, and nothing after `close`."""
    processes = Processes()
    assert getattr(processes, "_reaper") is None  # noqa: B009 # mypy would hold on to it
    child = processes.start(["sleep", "60"], cwd=tmp_path, env=dict(os.environ))
    assert processes._reaper is not None
    numbers = [child.popen.pid, processes._reaper.pid]
    assert processes.end(child) == -signal.SIGTERM
    assert processes.end(child) == -signal.SIGTERM
    processes.close()
    processes.close()
    assert left_of(numbers) == []


def test_a_killed_keeper_is_replaced(tmp_path: Path) -> None:
    """The next program gets a new keeper, which keeps the earlier ones too."""
    with Processes() as processes:
        first = processes.start(["sleep", "60"], cwd=tmp_path, env=dict(os.environ))
        assert processes._reaper is not None
        processes._reaper.kill()
        processes._reaper.wait()
        second = processes.start(["sleep", "60"], cwd=tmp_path, env=dict(os.environ))
        numbers = [first.popen.pid, second.popen.pid]
    assert left_of(numbers) == []
    for child in (first, second):
        processes.end(child)


def test_keeper_forgets_what_has_ended() -> None:
    """A group that was taken off the list is left alone when the feed ends."""
    kept, forgotten = (subprocess.Popen(["/bin/sleep", "60"], start_new_session=True) for _ in range(2))
    feed = [f"+{kept.pid}\n", f"+{forgotten.pid}\n", f"-{forgotten.pid}\n"]
    reaper.main("UNMOOR_RUN=no-process-has-this", [line.encode() for line in feed], grace=0.05)
    assert kept.wait(5) == -signal.SIGTERM
    assert forgotten.poll() is None
    forgotten.kill()
    forgotten.wait()


class FakeEngine(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """A socket that answers as an engine does, with these containers."""

    daemon_threads = True

    def __init__(self, path: Path, containers: dict[str, str]) -> None:
        self.containers, self.asked = containers, list[str]()
        super().__init__(str(path), FakeEngineHandler)


class FakeEngineHandler(http.server.BaseHTTPRequestHandler):
    """Lists by label, and removes."""

    server: FakeEngine

    def do_GET(self) -> None:
        """List the ids with the label that is asked for."""
        wanted = json.loads(parse_qs(urlsplit(self.path).query)["filters"][0])["label"][0].partition("=")[2]
        held = [{"Id": each} for each, run in self.server.containers.items() if run == wanted]
        self.answer(200, json.dumps(held).encode())

    def do_DELETE(self) -> None:
        """Remove one."""
        self.server.containers.pop(urlsplit(self.path).path.rpartition("/")[2], None)
        self.answer(204, b"")

    def answer(self, code: int, body: bytes) -> None:
        """Answer in full."""
        self.server.asked.append(self.path)
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        """A unix socket has no address."""
        return ""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize(
    ("feed", "left"),
    [
        (["@{engine}"], ["other"]),
        (["@{engine}", "@{engine}", "~{engine}"], ["other"]),
        (["@{engine}", "~{engine}"], ["one", "other"]),
        ([], ["one", "other"]),
        (["@unix:///nowhere/docker.sock"], ["one", "other"]),
    ],
)
def test_keeper_removes_the_containers_of_its_run(tmp_path: Path, feed: list[str], left: list[str]) -> None:
    """Those that were still noted go, by the run's label; those of others stay, and an engine that is gone is fine."""
    path = tmp_path / "docker.sock"
    with FakeEngine(path, {"one": "this", "other": "another"}) as engine:
        thread = threading.Thread(target=engine.serve_forever)
        thread.start()
        try:
            lines = [f"{line.format(engine=f'unix://{path}')}\n".encode() for line in feed]
            reaper.main("UNMOOR_RUN=this", lines, grace=0.05)
        finally:
            engine.shutdown()
            thread.join()
        assert list(engine.containers) == left
