"""A signal that comes early ends unmoor with one message, and never with a traceback."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

assert sys.platform != "win32"  # which has no SIGHUP, and where os.kill sends no other signal

_STOPPED_AT = """
import os, signal, sys, time

class Stopper:
    def find_spec(self, name, path=None, target=None):
        if name == {at!r}:
            sys.meta_path.remove(self)
            {act}
            time.sleep(0.1)

class Dropping:
    # Python drops what is raised here, as in the callback with which an import ends.
    def __del__(self):
        os.kill(os.getpid(), {number})
        time.sleep(0.05)

sys.meta_path.insert(0, Stopper())
from unmoor.cli import main
main()
"""


@pytest.mark.parametrize(
    ("number", "at", "act"),
    [
        (signal.SIGTERM, "gc", "kill"),
        (signal.SIGINT, "unmoor.adapters.process", "kill"),
        (signal.SIGHUP, "unmoor.cli.app", "kill"),
        (signal.SIGTERM, "unmoor.cli.app", "drop"),
        (signal.SIGTERM, "click", "kill"),
        (signal.SIGINT, "unmoor.cli.plan", "kill"),
        (signal.SIGTERM, "unmoor.cli.plan", "drop"),
        (signal.SIGTERM, "unmoor.cli.session", "kill"),
        (signal.SIGINT, "unmoor.cli.session", "drop"),
    ],
    ids=lambda each: getattr(each, "name", each),
)
def test_a_signal_in_the_first_second(number: signal.Signals, at: str, act: str) -> None:
    """Whatever is being imported, the user reads one line, and the exit code is the signal's."""
    doing = {"kill": "os.kill(os.getpid(), {number})", "drop": "Dropping()"}[act].format(number=int(number))
    ran = _run(_STOPPED_AT.format(at=at, act=doing, number=int(number)))
    assert (ran.returncode, ran.stderr) == (128 + number, "error: stopped before it was finished\n")
    assert not ran.stdout


def test_what_nohup_ignores_stays_ignored() -> None:
    """A run under nohup survives the end of its terminal."""
    ran = _run(
        "import signal\nsignal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        + _STOPPED_AT.format(at="click", act="os.kill(os.getpid(), 1)", number=1)
    )
    assert "stopped" not in ran.stderr


def _run(code: str) -> subprocess.CompletedProcess[str]:
    """Run Python code as ``unmoor plan`` in a folder that is no checkout."""
    return subprocess.run(
        [sys.executable, "-c", code, "plan"], capture_output=True, text=True, check=False, timeout=60, cwd="/"
    )
