"""For which Python and platform the dependencies of a wheel are resolved, and what markers say there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from unmoor.dists import inspect
from unmoor.dists.testing.interpreters import needs, runs_on
from unmoor.dists.testing.platforms import marker_environment
from unmoor.ports.environments import Interpreter
from unmoor.ports.resolver import InstallTarget
from unmoor.products import File

_CPYTHON = re.compile(r"(?:cp|py)([0-9])([0-9]+)")
# What environment markers (PEP 508) call the platforms of wheels: os_name, sys_platform, platform_system.
_SYSTEMS: Final = (
    (re.compile(r"win"), ("nt", "win32", "Windows")),
    (re.compile(r"macosx"), ("posix", "darwin", "Darwin")),
    (re.compile(r"(many|musl)?linux"), ("posix", "linux", "Linux")),
)
_MACHINES: Final[Mapping[str, str]] = {
    "win_amd64": "AMD64",
    "win_arm64": "ARM64",
    "win32": "x86",
    "universal2": "arm64",
}


def target_of(wheel: File, python: Interpreter) -> InstallTarget:
    """Where a wheel is to be installed: with ``python`` on this machine if it can be, else where its tags say."""
    if runs_on(wheel, python):
        return InstallTarget(python=python)
    platform, version = needs(wheel)
    if platform:
        tags = (tag.interpreter for tag in inspect.parse_filename(wheel.name).tags if tag.platform == platform)
        found = next(filter(None, map(_CPYTHON.fullmatch, sorted(tags, reverse=True))), None)
        version = f"{found[1]}.{found[2]}" if found else ""
    return InstallTarget(python=python, version=version.removesuffix("t"), platform=platform)


def environment_of(target: InstallTarget) -> dict[str, str]:
    """What environment markers (PEP 508) are compared with on a target."""
    found = marker_environment(target.python)
    if target.version:
        full = f"{target.version}.0"
        found |= {"python_version": target.version, "python_full_version": full, "implementation_version": full}
    for pattern, (name, system, word) in _SYSTEMS:
        if pattern.match(target.platform):
            found |= {"os_name": name, "sys_platform": system, "platform_system": word}
            found["platform_machine"] = machine_of(target.platform)
            found |= {"platform_release": "", "platform_version": ""}
            break
    return found


def machine_of(platform: str) -> str:
    """What ``platform_machine`` is on the platform of a wheel.

    >>> machine_of("manylinux_2_17_x86_64"), machine_of("win_amd64"), machine_of("macosx_11_0_arm64")
    ('x86_64', 'AMD64', 'arm64')
    """
    tail = next((end for end in (*_MACHINES, "x86_64") if platform.endswith(end)), platform.rpartition("_")[2])
    return _MACHINES.get(tail, tail)


def describe(target: InstallTarget) -> str:
    """Name the Python and the platform of a target, as in ``Python 3.12 on linux x86_64``."""
    where = environment_of(target)
    return f"Python {where['python_version']} on {where['sys_platform']} {where['platform_machine']}"
