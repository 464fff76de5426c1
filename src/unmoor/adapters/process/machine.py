"""What this machine ran out of while a program ran: disk space, or memory, by the counters of Linux.

Windows and macOS count no such kills. On Windows a program that gets no memory ends with a code that says so
(`unmoor.ports.exit_codes`); what macOS kills for lack of memory gets KILL, as on Linux.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

# Bytes: with less, a folder has no space left. With less than the second, a message about a full disk is plausible.
_NONE = 1 << 20
_LITTLE = 1 << 30
_CGROUPS = Path("/sys/fs/cgroup")
_COUNT = re.compile(r"^oom_kill (\d+)$", re.MULTILINE)


class Shortage(msgspec.Struct, frozen=True, kw_only=True):
    """A folder without space, one with little, and whether memory ran out; see `unmoor.ports.shell.Ran`."""

    full: str = ""
    tight: str = ""
    starved: bool = False


def shortage(env: Mapping[str, str], cwd: Path, killed_before: int) -> Shortage:
    """What is short now, for a program with an environment and a working folder.

    ``killed_before`` is what `memory_kills` returned before the program started.
    """
    spaces = sorted((free, folder) for folder in written_folders(env, cwd) if (free := free_space(folder)) is not None)
    free, folder = spaces[0] if spaces else (_LITTLE, "")
    return Shortage(
        full=folder if free < _NONE else "",
        tight=folder if free < _LITTLE else "",
        starved=memory_kills() > killed_before,
    )


def memory_kills() -> int:
    """How many processes the kernel has killed for lack of memory: in this control group, or else on this machine.

    0 if the kernel does not say. See "memory.events" in the kernel's documentation of cgroup v2.
    """
    try:
        own = Path("/proc/self/cgroup").read_text(encoding="utf-8").partition("::/")[2].strip()
        return _count(_CGROUPS / own / "memory.events")
    except (OSError, ValueError):
        pass
    try:
        return _count(Path("/proc/vmstat"))
    except (OSError, ValueError):
        return 0


def _count(file: Path) -> int:
    match = _COUNT.search(file.read_text(encoding="utf-8"))
    if match is None:
        raise ValueError
    return int(match[1])


def written_folders(env: Mapping[str, str], cwd: Path) -> Iterator[str]:
    """The folders that programs write to: for temporary files, the working folder, and the caches.

    One that this system does not have, such as ``/tmp`` on Windows, has no free space to read.
    """
    yield env.get("TMPDIR") or env.get("TEMP") or "/tmp"  # noqa: S108 - only its free space is read
    yield str(cwd)
    home = env.get("HOME", "")
    yield from _given(env.get("UV_CACHE_DIR"), env.get("XDG_CACHE_HOME") or (f"{home}/.cache" if home else None))
    yield from _given(env.get("LOCALAPPDATA"))


def _given(*folders: str | None) -> Iterable[str]:
    return filter(None, folders)


def free_space(folder: str) -> int | None:
    """The bytes that are free in a folder, 0 if no file can be added; ``None`` if it cannot be written to anyway."""
    try:
        return _space(folder)
    except OSError:
        return None


def free_of_disk(folder: str) -> int | None:
    """The free bytes as Windows tells them: of the disk, or of the user's quota. Raises ``OSError``."""
    return shutil.disk_usage(folder).free


if sys.platform == "win32":
    _space = free_of_disk
else:

    def _space(folder: str) -> int | None:
        stat = os.statvfs(folder)
        if stat.f_flag & os.ST_RDONLY or not stat.f_blocks:
            return None
        return 0 if stat.f_files and not stat.f_favail else stat.f_bavail * stat.f_frsize
