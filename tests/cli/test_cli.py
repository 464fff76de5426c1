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
            os.kill(os.getpid(), {number})
            time.sleep(0.1)

sys.meta_path.insert(0, Stopper())
from unmoor.cli import main
main()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda each: each.name)
@pytest.mark.parametrize("at", ["unmoor.cli.app", "click", "unmoor.cli.plan", "unmoor.cli.session"])
def test_a_signal_in_the_first_second(number: signal.Signals, at: str) -> None:
    """Whatever is being imported, the user reads that unmoor was stopped."""
    ran = _run(_STOPPED_AT.format(at=at, number=int(number)))
    assert ran.returncode == 130, ran.stderr
    assert [line for line in ran.stderr.splitlines() if line and not line.startswith("next:")] == [
        "error: stopped before it was finished"
    ]


def test_what_nohup_ignores_stays_ignored() -> None:
    """A run under nohup survives the end of its terminal."""
    ran = _run(
        "import signal\nsignal.signal(signal.SIGHUP, signal.SIG_IGN)\n" + _STOPPED_AT.format(at="click", number=1)
    )
    assert "stopped" not in ran.stderr


def _run(code: str) -> subprocess.CompletedProcess[str]:
    """Run Python code as ``unmoor plan`` in a folder that is no checkout."""
    return subprocess.run(
        [sys.executable, "-c", code, "plan"], capture_output=True, text=True, check=False, timeout=60, cwd="/"
    )
