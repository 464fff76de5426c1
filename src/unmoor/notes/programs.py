"""Python programs that read the project's text, in a process of their own."""

from __future__ import annotations

import site
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from unmoor.notes.reading import LIMIT
from unmoor.ports.shell import Ran, Shell

_SECONDS = 60.0


def run(shell: Shell, args: Sequence[str], *, cwd: Path) -> Ran:
    """Run our own interpreter with these arguments; raises `TimedOut` after a minute.

    It imports what we can import and nothing of the project: ``-P`` keeps the folder it runs in off its path, and no
    variable of ours reaches it. The home is an empty folder; packages in the user's own site stay known.
    """
    with tempfile.TemporaryDirectory(prefix="unmoor-notes-") as home:
        env = {"HOME": home, "PYTHONUSERBASE": site.getuserbase(), "PYTHONDONTWRITEBYTECODE": "1"}
        python = [sys.executable, "-P", "-X", "utf8"]
        return shell.run([*python, *args], cwd=cwd, env=env, timeout=_SECONDS, limit=2 * LIMIT)
