"""Which processor the running Python is built for: a machine may have Pythons for several, with wheels of their own."""

from __future__ import annotations

import platform
import sysconfig
from typing import Final

# What `sysconfig.get_platform` ends in, and what uv calls it.
_NAMES: Final = {
    "amd64": "x86_64",
    "x86_64": "x86_64",
    "win32": "x86",
    "i686": "x86",
    "arm64": "aarch64",
    "aarch64": "aarch64",
}


def architecture(name: str = "") -> str:
    """Return the architecture as uv names it, such as ``x86_64``; empty if that is not known.

    ``name`` is that of a platform, by default of the running Python: ``win32``, ``win-arm64``, ``macosx-11.0-arm64``.
    """
    name = name or sysconfig.get_platform()
    last = name.rpartition("-")[2]
    return _NAMES.get(platform.machine() if last == "universal2" else last, "")
