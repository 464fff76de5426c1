"""Choose the part for this machine's files. Each of `commands`, `layout` and `names` asks once for its own rules."""

from __future__ import annotations

import sys
from functools import cache

from unmoor.filesystem.protocol import FileSystem


@cache
def here() -> FileSystem:
    """Return the files of this machine."""
    if sys.platform == "win32":
        from unmoor.filesystem.windows import WindowsFiles
        from unmoor.filesystem.windows_api import Win32

        return WindowsFiles(Win32())
    else:  # noqa: RET505 - mypy checks one branch on each system
        from unmoor.filesystem.posix import PosixFiles

        return PosixFiles()
