"""Batch files of Windows, which CreateProcess hands to cmd.exe: it reads the arguments as a command line of its own.

No quoting is safe for all of them (CVE-2024-24576, "BatBadBut"), so arguments with characters of its language are
refused. Programs that npm or others wrap in ``.cmd`` files still work with plain ones.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PureWindowsPath
from typing import Final

from unmoor import advice
from unmoor.errors import ToolMissing
from unmoor.filesystem.windows_programs import BATCH

_SPECIAL: Final = re.compile(r'["%!^&|<>()\x00-\x1f]')


def require_safe(program: str, args: Sequence[str]) -> None:
    """Raise `ToolMissing` if a program is a batch file, and cmd.exe would see more in an argument than text."""
    file = PureWindowsPath(program)
    # Windows ignores blanks and dots at the end of a name.
    if not file.name.rstrip(". ").lower().endswith(BATCH):
        return
    for argument in (program, *args):
        if (found := _SPECIAL.search(argument)) is not None:
            raise ToolMissing(
                f"cannot pass {argument!r} to the batch file {file.name}: cmd.exe gives {found[0]!r} a meaning",
                next_step=advice.AVOID_BATCH_FILE(program=file.name),
            )
