"""A small program that starts other programs, one after the other, and measures each.

`unmoor.adapters.measuring` starts it in a Python without ``site``, from its compiled code. The kernel counts the memory
of a parent as its child's peak, up to the moment when the child is replaced by its program. So programs that unmoor
itself started would seem to need what unmoor needs. This one needs as little as a Python can: ``json``, ``signal`` and
even compiling this file would make it larger than other small Python programs, whose peak would then be unknown.

`main` takes a list of dictionaries with ``args``, ``cwd``, ``env``, ``log``, and ``fine``, the exit codes that are no
failure. A line of JSON on the standard output answers each: ``wall`` and ``cpu`` in seconds, ``peak`` in bytes,
``code``, ``absent``, and ``hidden`` if ``peak`` is only a limit. The first failure ends the series. It imports nothing
from unmoor.
"""

# ruff: noqa: PTH123  # importing pathlib takes longer, and more memory, than everything here

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False  # as typing has it, whose import takes milliseconds
if TYPE_CHECKING:
    from typing import Any

# What marks the programs of a run, so that they can be ended together with it.
_MARK = "UNMOOR_RUN"
_OUTPUT = 1
# The exit code of shells for a program that is absent.
_ABSENT = 127


def main(programs: list[dict[str, Any]]) -> None:
    """Run programs until the first failure."""
    for program in programs:
        if _MARK in os.environ:
            program["env"][_MARK] = os.environ[_MARK]
        os.chdir(program["cwd"])
        os.environ["PATH"] = program["env"].get("PATH", os.defpath)  # where the program is looked for
        try:
            figures = measure(program)
        except (FileNotFoundError, PermissionError, NotADirectoryError):
            figures = {"wall": 0.0, "code": _ABSENT, "absent": True}
        os.write(_OUTPUT, f"{line(figures)}\n".encode())
        if figures["code"] not in program["fine"]:
            return


def line(figures: dict[str, Any]) -> str:
    """Numbers, truth values and ``None`` as a line of JSON."""
    words = {None: "null", True: "true", False: "false"}
    pairs = (
        f'"{name}": {words[value] if value is None or isinstance(value, bool) else repr(value)}'
        for name, value in figures.items()
    )
    return f"{{{', '.join(pairs)}}}"


if sys.platform == "win32":
    import subprocess

    def measure(program: dict[str, Any]) -> dict[str, Any]:
        """Run one program. This system does not say what a child needed, only when it ended."""
        with open(program["log"], "wb") as log:
            started = time.perf_counter()
            ran = subprocess.run(
                program["args"], env=program["env"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False
            )
            wall = time.perf_counter() - started
        return {"wall": wall, "code": ran.returncode}

else:
    import resource

    # macOS counts bytes, every other system kilobytes.
    _UNIT = 1 if sys.platform == "darwin" else 1024
    # The kernel counts pages in portions, so what it says of two moments may differ by this much.
    _PORTION = 256 * 1024
    # SIGPIPE, which Python ignores, and programs should not. The module with its name needs a megabyte.
    _BROKEN_PIPE = 13

    def measure(program: dict[str, Any]) -> dict[str, Any]:
        """Run one program, and wait for it with what the kernel counted."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, program["log"], flags, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ]
        args, env = program["args"], program["env"]
        started = time.perf_counter()
        child = os.posix_spawnp(args[0], args, env, file_actions=actions, setsigdef=[_BROKEN_PIPE])
        _, status, usage = os.wait4(child, 0)
        wall = time.perf_counter() - started
        peak, least = usage.ru_maxrss * _UNIT, _own_peak() + _PORTION
        return {
            "wall": wall,
            "cpu": usage.ru_utime + usage.ru_stime,
            # Not more than this process needs: the program may need less, and the kernel does not say how much.
            "peak": max(peak, least),
            "hidden": peak <= least,
            "code": os.waitstatus_to_exitcode(status),
        }

    def _own_peak() -> int:
        """The most memory of this program in bytes. What the system counts of it elsewhere begins with its parent."""
        try:
            with open("/proc/self/status", "rb") as status:
                for each in status:
                    if each.startswith(b"VmHWM:"):
                        return int(each.split()[1]) * 1024
        except OSError:
            pass
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT
