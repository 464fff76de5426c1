"""Show a file in the user's browser, with the program that each system has for it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from unmoor.ports.shell import Shell

_OPENERS: Final[Mapping[str, tuple[str, ...]]] = {
    "darwin": ("open",),
    # The file is one argument, which no command line interprets.
    "win32": ("rundll32.exe", "url.dll,FileProtocolHandler"),
}
_SECONDS: Final = 20.0


def opener(system: str = sys.platform) -> tuple[str, ...]:
    """Return the program of a system, with its first arguments. A desktop of Linux or BSD has ``xdg-open``."""
    return _OPENERS.get(system, ("xdg-open",))


def show_file(path: Path, shell: Shell, environ: Mapping[str, str]) -> str:
    """Show a file. Return why that failed, empty if it did not.

    Raises `ToolMissing` if the system lacks the program, and `TimedOut` and `Interrupted`.
    """
    ran = shell.run([*opener(), str(path)], cwd=path.parent, env=environ, timeout=_SECONDS)
    return "" if ran.code == 0 else f"{opener()[0]} ended with {ran.code}"
