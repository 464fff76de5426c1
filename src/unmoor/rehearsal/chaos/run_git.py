"""Git for whoever prepares a round: in a folder of the round, with a time that is the same in each."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from unmoor.adapters.git.program import OPTIONS, variables
from unmoor.adapters.process.servers import Program
from unmoor.rehearsal.shared import remote

_TIMEOUT = 60.0
_DATE: Final = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "chaos"), ("EMAIL", "chaos@example.invalid"), ("DATE", "@1700000000 +0000"))
}


def run_git(folder: Path, *args: str) -> str:
    """Run git in a folder, and return what it printed."""
    command = [remote.git(), *OPTIONS, "-C", str(folder), *args]
    return Program(command, variables(os.environ, own=True) | _DATE).wait(_TIMEOUT).out.decode().strip()
