"""Where Windows finds a program, by rules that run on every system.

`shutil.which` is no choice here: before Python 3.12 it looks into the current folder first, which is the project's, and
does not add ``.exe`` to a path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePath, PureWindowsPath
from typing import Final

BATCH: Final = (".bat", ".cmd")
_STARTS: Final = (".com", ".exe", *BATCH)
"""What CreateProcess starts by itself. ``PATHEXT`` may name more, such as ``.py``, which only cmd.exe opens."""


def find_program(
    program: str, *, cwd: PurePath, env: Mapping[str, str], is_program: Callable[[str], bool]
) -> str | None:
    """Find a program in the absolute folders on the PATH of an environment, or at its own path, seen from ``cwd``.

    The extensions of ``PATHEXT`` are tried in their order. ``is_program`` says whether a path is a file.
    """
    wanted = PureWindowsPath(program)
    if not wanted.name or "\0" in program:
        return None
    found = (
        str(folder / f"{wanted.name}{ending}")
        for folder in _folders(wanted, cwd, variable(env, "PATH") or "")
        for ending in _endings(wanted, variable(env, "PATHEXT") or ";".join(_STARTS))
    )
    return next(filter(is_program, found), None)


def variable(env: Mapping[str, str], name: str) -> str | None:
    """Return a variable, whose name may be in any case: it is ``Path`` on most machines."""
    return next((value for each, value in env.items() if each.upper() == name), None)


def _folders(wanted: PureWindowsPath, cwd: PurePath, path: str) -> Iterator[PureWindowsPath]:
    if wanted.parent != PureWindowsPath() or wanted.drive:
        yield PureWindowsPath(cwd) / wanted.parent
        return
    for each in path.split(";"):
        folder = PureWindowsPath(each.strip().strip('"'))
        if folder.is_absolute():
            yield folder


def _endings(wanted: PureWindowsPath, extensions: str) -> Iterator[str]:
    if wanted.suffix.lower() in _STARTS:
        yield ""
    yield from (each.strip() for each in extensions.split(";") if each.strip().lower() in _STARTS)
