"""What this machine has: processors, memory, and free disk space where programs write."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from unmoor.adapters.process.machine import free_space, written_folders

_CONTAINER = Path("/sys/fs/cgroup")


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """Memory in bytes: of the machine, or of the container that it is limited to, and what of it is available."""

    total: int
    available: int


def processors() -> int:
    """How many processors the system has. 0 if it does not say."""
    return os.cpu_count() or 0


def disks(environ: Mapping[str, str], cwd: Path) -> Iterator[tuple[str, int | None]]:
    """Yield each folder that programs write to, with its free bytes; ``None`` if it cannot be written to."""
    for folder in dict.fromkeys(written_folders(environ, cwd)):
        yield folder, free_space(folder)


def _limited(machine: Memory) -> Memory:
    """Apply the limit of this control group, if there is one ("memory.max" in the kernel's documentation)."""
    try:
        most, used = (int(_read(_CONTAINER / name)) for name in ("memory.max", "memory.current"))
    except (OSError, ValueError):  # no version 2, no limit ("max")
        return machine
    if most >= machine.total:
        return machine
    return Memory(total=most, available=min(max(most - used, 0), machine.available))


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


if sys.platform == "linux":
    _FIELD = re.compile(r"^(MemTotal|MemAvailable):\s+(\d+) kB$", re.MULTILINE)

    def memory() -> Memory:
        """Read the memory of this machine, as proc(5) describes it. Raises ``OSError``, ``ValueError``."""
        fields = {name: int(number) * 1024 for name, number in _FIELD.findall(_read(Path("/proc/meminfo")))}
        if fields.keys() != {"MemTotal", "MemAvailable"}:
            raise ValueError
        return _limited(Memory(total=fields["MemTotal"], available=fields["MemAvailable"]))

else:

    def memory() -> Memory:
        """Ask the system for the memory of this machine. Raises ``OSError``."""
        import psutil

        found = psutil.virtual_memory()
        return Memory(total=found.total, available=found.available)
