"""Read text from outside in a child process, with limits of time and memory.

docutils, towncrier and jinja2, and the renderers of descriptions can take hours or all memory for a text that was made
for that. A child process can be ended: at its limits, at the first signal and at the deadline of the run, even while
it is in code that is not Python. Whatever is our own pattern or loop takes linear time instead, and runs here.
"""

from __future__ import annotations

import contextlib
import json
import os
import site
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from unmoor.errors import TimedOut
from unmoor.filesystem.temporary import temporary_folder
from unmoor.ports.exit_codes import crash
from unmoor.ports.failure import child_failure
from unmoor.ports.shell import ProcessLimits, Ran, Shell
from unmoor.util.decode import decode_json

T = TypeVar("T")

SECONDS = 60.0
MEMORY = 1 << 30
"""The limits of a child: seconds that pass, and bytes of its address space."""

_LIMIT = 20_000_000
_CALL = """
import importlib, json, pathlib, sys
module, _, name = sys.argv[1].partition(":")
arguments, answer = map(pathlib.Path, sys.argv[2:])
value = getattr(importlib.import_module(module), name)(*json.loads(arguments.read_bytes()))
answer.write_text(json.dumps(value), "utf-8")
"""


class BeyondLimits(Exception):
    """The child needed more time or memory than it has. The message says which."""


def call(shell: Shell, function: str, *arguments: str, kind: type[T]) -> T:
    """Call a function (``module:name``) of unmoor in a child. Arguments and result are passed as JSON.

    Raises `BeyondLimits`, also for values that are nested too deeply to read.
    """
    with temporary_folder() as folder:
        given, answer = folder / "arguments.json", folder / "answer.json"
        given.write_text(json.dumps(arguments), "utf-8")
        ran = run(shell, _CALL, [function, str(given), str(answer)], cwd=folder)
        if ran.code != 0:
            msg = f"{function} failed in a child process: {last_line(ran)}"
            raise RuntimeError(msg)
        return decode_json(answer.read_bytes(), kind)


def run(shell: Shell, program: str, arguments: Sequence[str], *, cwd: Path) -> Ran:
    """Run a Python program, given as text, with unmoor's interpreter.

    Raises `BeyondLimits`, and what `child_failure` returns if it fails because of this machine.

    It can import what unmoor can, and nothing of the project: ``-P`` keeps its working folder off the path,
    and of the environment it gets only what concerns bytecode. Its home is an empty folder, but packages in the user's
    site remain available.
    """
    with temporary_folder() as home, _no_longer():
        env = {"HOME": str(home), "PYTHONUSERBASE": site.getuserbase()} | _bytecode()
        python = [sys.executable, "-P", "-X", "utf8", "-c", program]
        # Those of the system. That of the processor's time is for a child whose parent is gone.
        limits = ProcessLimits(memory=MEMORY, seconds=int(2 * SECONDS))
        ran = shell.run([*python, *arguments], cwd=cwd, env=env, timeout=SECONDS, limit=_LIMIT, limits=limits)
    reasons = {
        "RecursionError": "it is nested too deeply",
        "MemoryError": f"it needs more than {MEMORY >> 30} GB of memory",
    }
    if ran.over_memory:
        raise BeyondLimits(reasons["MemoryError"])
    how = crash(ran.code)
    reason = reasons.get(last_line(ran).partition(":")[0]) if ran.code and not how else None
    if reason is None and ran.code and (error := child_failure(ran, "the program that reads the text")) is not None:
        raise error
    if reason is None and how:
        # Code in C may crash when it gets no more memory. A signal from outside is another error, which `run` raises.
        reason = f"it crashes with {how}, or needs more than {MEMORY >> 30} GB of memory"
    if reason is not None:
        raise BeyondLimits(reason)
    return ran


def _bytecode() -> dict[str, str]:
    """The user's variables for bytecode. Unless they forbid it, the first child writes that of the libraries.

    uv installs without any, and compiling docutils for each text would take most of the child's time.
    """
    return {name: os.environ[name] for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX") if name in os.environ}


def last_line(ran: Ran) -> str:
    """Return the last line of a program's errors: of a traceback, the one with the exception."""
    return ran.err.strip().rpartition("\n")[2]


@contextlib.contextmanager
def _no_longer() -> Iterator[None]:
    try:
        yield
    except TimedOut as error:
        msg = f"it needs more than {SECONDS:.0f} s"
        raise BeyondLimits(msg) from error
