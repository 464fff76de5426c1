"""Start unmoor again with names of files in UTF-8, if the locale says otherwise.

git writes names in UTF-8, and so do archives. With ``PYTHONUTF8=0`` in the locale C, or in a locale of Latin-1, Python
could not write the name of a file with another letter, or would write another name. Only its UTF-8 mode (PEP 540)
changes that, and only when Python starts.
"""

from __future__ import annotations

import os
import sys


def restart_in_utf8_mode() -> None:
    """Replace this process by the same command line in UTF-8 mode. Does nothing in that mode, and on Windows.

    On Windows names are UTF-16, and Python encodes none unless PYTHONLEGACYWINDOWSFSENCODING is set.
    """
    if sys.flags.utf8_mode or sys.platform == "win32":
        return
    os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])  # noqa: S606 - itself, without a shell
