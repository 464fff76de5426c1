"""What `tests.support.forked` runs is as what is started as usual."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.support import forked
from tests.support.systems import linux

from unmoor.util.concurrency import NoAnswer

pytestmark = linux

LOOK = """
import atexit, json, os, random, signal, sys

atexit.register(lambda: print("the end"))
print("err", "\\u00e4", file=sys.stderr)
print(json.dumps({
    "arguments": sys.argv[1:], "folder": os.getcwd(), "variable": os.environ.get("ONE"), "input": sys.stdin.read(),
    "open": sorted(map(int, os.listdir("/proc/self/fd")))[:4], "interrupt": str(signal.getsignal(signal.SIGINT)),
    "child": str(signal.getsignal(signal.SIGCHLD)), "home": os.environ.get("HOME"), "size": len(os.environ),
}))
sys.exit(7)
"""


def environ(**more: str) -> Mapping[str, str]:
    """The variables of this process, and some more."""
    return {**os.environ, **more}


def test_a_process_that_is_forked_finds_what_a_started_one_finds(tmp_path: Path) -> None:
    """Its arguments, folder, variables, streams, signals and end. A variable of Python makes it start as usual."""
    one, other = (
        forked.run(["a", "b c"], cwd=tmp_path, env=environ(ONE="1", **more), timeout=60, code=LOOK)
        for more in ({}, {"PYTHONUNBUFFERED": "1"})
    )
    assert one.stdout.replace(f'"size": {len(environ(ONE="1"))}', "") == other.stdout.replace(
        f'"size": {len(environ(ONE="1", PYTHONUNBUFFERED="1"))}', ""
    )
    assert one.stdout.endswith("the end\n")
    assert (one.returncode, one.stderr) == (other.returncode, other.stderr) == (7, "err ä\n")


def test_the_command_line() -> None:
    """It is the one that is installed."""
    ran = forked.run(["--version"], cwd=Path("/"), env=os.environ, timeout=60)
    assert ran.returncode == 0
    assert ran.stdout.startswith("unmoor ")


def test_what_ends_it(tmp_path: Path) -> None:
    """A signal is told by its number, and one that does not end is ended after its time."""
    with (tmp_path / "output").open("wb") as stream:
        code = "import time\nprint('begun', flush=True)\ntime.sleep(60)\n"
        running = forked.start([], cwd=tmp_path, env=os.environ, output=stream, err=stream, code=code)
        deadline = time.monotonic() + 60
        while not (tmp_path / "output").read_text() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert running.poll() is None
        running.send_signal(signal.SIGTERM)
        assert running.wait(60) == -signal.SIGTERM
    with pytest.raises(NoAnswer):
        forked.run([], cwd=tmp_path, env=os.environ, timeout=0.1, code=code)
