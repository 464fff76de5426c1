"""No program outlives the process that started it."""

from __future__ import annotations

import http.server
import json
import os
import signal
import socketserver
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.support.running import awaited, left_of, runs

assert sys.platform == "linux"  # looks for processes in /proc; test_parts.py is for every system

from unmoor.adapters.process import reaper
from unmoor.adapters.process.posix import PosixSystem
from unmoor.adapters.process.process_system import LABEL
from unmoor.adapters.process.reaper_link import ReaperLink
from unmoor.adapters.process.supervisor import Processes

# A child that starts a grandchild, and one in its own session; each writes its PID to a file.
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
    (folder / "reaper").write_text("")
    while processes.system.reaper.process is None:
        pass
    (folder / "reaper").write_text(str(processes.system.reaper.process.pid))
    while thread.is_alive():  # with a time-out: an endless wait would miss a signal that comes just before it
        thread.join(0.1)
"""


@pytest.mark.parametrize(
    ("number", "background"),
    [(signal.SIGKILL, False), (signal.SIGTERM, False), (signal.SIGINT, False), (signal.SIGINT, True)],
)
def test_no_child_outlives_its_parent(tmp_path: Path, number: signal.Signals, background: bool) -> None:  # noqa: FBT001 # a case
    """The child, the grandchild, one in its own session and the reaper end, however the parent ends."""
    program = [sys.executable, "-c", PARENT, str(tmp_path), FAMILY]
    # A shell without job control starts what it runs in the background with INT ignored.
    if background:
        program = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", *program]
    parent = subprocess.Popen(program)
    numbers = [awaited(tmp_path / name) for name in ("child", "grandchild", "escaped", "reaper")]
    assert all(runs(each) for each in numbers)
    parent.send_signal(number)
    parent.wait(20)
    assert left_of(numbers) == []
    assert (tmp_path / "interrupted").exists() == (number != signal.SIGKILL)


def reaper_of(processes: Processes) -> ReaperLink:
    """The link to the reaper of a run."""
    assert isinstance(processes.system, PosixSystem)
    return processes.system.reaper


def test_reaper_starts_with_the_first_program_and_ends_at_close(tmp_path: Path) -> None:
    """Nothing runs before the first program, and nothing after `close`."""
    processes = Processes()
    link = reaper_of(processes)
    assert getattr(link, "process") is None  # noqa: B009 # mypy would narrow the type
    child = processes.start(["sleep", "60"], cwd=tmp_path, env=dict(os.environ))
    assert link.process is not None
    numbers = [child.pid, link.process.pid]
    assert processes.end(child) == -signal.SIGTERM
    assert processes.end(child) == -signal.SIGTERM
    processes.close()
    processes.close()
    assert left_of(numbers) == []


def test_a_killed_reaper_is_replaced(tmp_path: Path) -> None:
    """The next program starts a new reaper, which takes over the earlier programs."""
    with Processes() as processes:
        first = processes.start(["sleep", "60"], cwd=tmp_path, env=dict(os.environ))
        link = reaper_of(processes)
        assert link.process is not None
        link.process.kill()
        link.process.wait()
        second = processes.start(["sleep", "60"], cwd=tmp_path, env=dict(os.environ))
        numbers = [first.pid, second.pid]
    assert left_of(numbers) == []
    for child in (first, second):
        processes.end(child)


def test_reaper_forgets_what_has_ended() -> None:
    """A group that was taken off the list stays alive when the feed ends."""
    listed, forgotten = (subprocess.Popen(["/bin/sleep", "60"], start_new_session=True) for _ in range(2))
    feed = [f"+{listed.pid}\n", f"+{forgotten.pid}\n", f"-{forgotten.pid}\n"]
    reaper.main("UNMOOR_RUN=no-process-has-this", LABEL, [line.encode() for line in feed], grace=0.05)
    assert listed.wait(5) == -signal.SIGTERM
    assert forgotten.poll() is None
    forgotten.kill()
    forgotten.wait()


class FakeEngine(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """A socket that answers like an engine with these containers."""

    daemon_threads = True

    def __init__(self, path: Path, containers: dict[str, str]) -> None:
        self.containers, self.asked = containers, list[str]()
        super().__init__(str(path), FakeEngineHandler)


class FakeEngineHandler(http.server.BaseHTTPRequestHandler):
    """Lists containers by label, and removes them."""

    server: FakeEngine

    def do_GET(self) -> None:
        """List the ids with the requested label."""
        wanted = json.loads(parse_qs(urlsplit(self.path).query)["filters"][0])["label"][0].partition("=")[2]
        held = [{"Id": each} for each, run in self.server.containers.items() if run == wanted]
        self.answer(200, json.dumps(held).encode())

    def do_DELETE(self) -> None:
        """Remove one container."""
        self.server.containers.pop(urlsplit(self.path).path.rpartition("/")[2], None)
        self.answer(204, b"")

    def answer(self, code: int, body: bytes) -> None:
        """Send a complete answer."""
        self.server.asked.append(self.path)
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        """Return a fixed address: a Unix socket has none."""
        return ""

    def log_message(self, *_: object) -> None:
        """Log nothing."""


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
def test_reaper_removes_the_containers_of_its_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, feed: list[str], left: list[str]
) -> None:
    """Removes the run's containers from engines still in use, keeps those of other runs, and accepts a dead engine."""
    monkeypatch.setattr(reaper, "_PAUSE", 0.01)
    path = tmp_path / "docker.sock"
    with FakeEngine(path, {"one": "this", "other": "another"}) as engine:
        thread = threading.Thread(target=engine.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            lines = [f"{line.format(engine=f'unix://{path}')}\n".encode() for line in feed]
            reaper.main("UNMOOR_RUN=this", LABEL, lines, grace=0.05)
        finally:
            engine.shutdown()
            thread.join()
        assert list(engine.containers) == left
