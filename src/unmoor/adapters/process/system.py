"""Which operating system this machine has: what a release does depends on it by this value only."""

from __future__ import annotations

import os
import platform
import sys
from functools import cache

from unmoor.ports.system import SYSTEMS, System


@cache
def this_system() -> System:
    """Return the system of this machine."""
    return system_named(sys.platform)


def system_named(name: str) -> System:
    """Return the system that ``sys.platform`` gives a name to. One that unmoor is not written for has no images."""
    return next((each for each in SYSTEMS if each.name == name), System(name=name, title=name))


def description() -> str:
    """Describe the system and its version on one line, without the name of the machine."""
    return platform.platform()


def user_and_group() -> str:
    """Return the numbers of this user and its group, ``1000:1000``; empty on Windows, where users have none."""
    if sys.platform == "win32":
        return ""
    else:  # noqa: RET505 - mypy checks one branch on each system
        return f"{os.getuid()}:{os.getgid()}"
