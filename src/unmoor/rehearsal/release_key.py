"""A new key of ssh for a rehearsal, in place of the one in the settings: a rehearsal needs no key of a maintainer."""

from __future__ import annotations

import os
from pathlib import Path

from unmoor import advice
from unmoor.adapters.process.variables import windows_variables
from unmoor.errors import ToolMissing
from unmoor.ports.shell import Shell
from unmoor.util.text import clean


def make_key(folder: Path, shell: Shell) -> str:
    """Make a key in a folder, and return it as the setting ``sign-with`` names it. Raises `ToolMissing`."""
    path = (folder / "release-key").absolute()
    args = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "rehearsal", "-f", str(path))
    env = {"PATH": os.environ.get("PATH", os.defpath), **windows_variables(os.environ)}
    ran = shell.run(args, cwd=folder, env=env, timeout=60.0)
    if ran.code:
        raise ToolMissing(f"cannot make a key for the rehearsal: {clean(ran.err)}", next_step=advice.CHECK_PROGRAM())
    return f"ssh:{path}"
