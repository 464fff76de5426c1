"""Run Python programs that read the project's text, each in a separate process."""

from __future__ import annotations

import site
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from unmoor.notes.reading import LIMIT
from unmoor.ports.failure import child_failure
from unmoor.ports.shell import Ran, Shell

_SECONDS = 60.0


def run(shell: Shell, args: Sequence[str], *, cwd: Path) -> Ran:
    """Run unmoor's interpreter with these arguments. Raises `TimedOut` after a minute.

    Raises `ToolMissing` if it fails because of this machine; see `unmoor.ports.failure.child_failure`.

    The process can import what unmoor can, and nothing of the project: ``-P`` keeps its working folder off the path,
    and it gets no environment variables of this process. Its home is an empty folder, but packages in the user's site
    remain available.
    """
    with tempfile.TemporaryDirectory(prefix="unmoor-notes-") as home:
        env = {"HOME": home, "PYTHONUSERBASE": site.getuserbase(), "PYTHONDONTWRITEBYTECODE": "1"}
        python = [sys.executable, "-P", "-X", "utf8"]
        ran = shell.run([*python, *args], cwd=cwd, env=env, timeout=_SECONDS, limit=2 * LIMIT)
        if ran.code and (error := child_failure(ran, "the program that reads the notes")) is not None:
            raise error
        return ran
