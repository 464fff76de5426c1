"""Record where every Python started in an environment imports the tested modules from.

Otherwise tests could import a copy of the source next to them, a path added by configuration, or another
environment instead of the installed files, and nothing would show it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import msgspec

_NAME = "_unmoor_witness"

# Runs at the start of every Python in the environment, of any version, and loads no module that Python has not. It must
# never raise. It only observes: its finder never returns a spec, unless the modules may be imported from one folder
# only. It comes before any finder of a test runner, and looks at sys.modules again at exit.
_CODE = """
import atexit, os, sys

# Not from importlib.machinery, which is not loaded yet: a suite may test what its project loads.
PathFinder = sys.modules["_frozen_importlib_external"].PathFinder
LOG = {log!r}
NAMES = frozenset({names!r})
ONLY = {only!r}
seen = set()


def note(name, places):
    try:
        for place in places:
            if place and (name, place) not in seen:
                seen.add((name, place))
                path = os.path.join(LOG, str(os.getpid()))
                with open(path, "a", encoding="utf-8", errors="surrogateescape") as stream:
                    stream.write(name + "\\t" + os.path.realpath(place) + "\\n")
    except Exception:
        pass


class Recorder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name in NAMES:
            if ONLY:
                path = [os.path.join(ONLY, *name.split(".")[:-1])]
            try:
                spec = PathFinder.find_spec(name, path)
            except Exception:
                spec = None
            if spec is not None:
                note(name, [spec.origin] if spec.has_location else list(spec.submodule_search_locations or ()))
            return spec if ONLY else None


@atexit.register
def last():
    for name in NAMES:
        note(name, [getattr(sys.modules.get(name), "__file__", None)])


sys.meta_path.insert(0, Recorder)
"""


class RecordedImports(msgspec.Struct, frozen=True, kw_only=True):
    """Modules imported from the environment, and modules imported from the copied tests, each with its path."""

    inside: frozenset[str]
    copied: tuple[tuple[str, str], ...]


def install_recorder(packages: Path, log: Path, modules: Iterable[str], *, only: bool = False) -> None:
    """Install the recorder into the folder ``packages`` of an environment. It writes to the new folder ``log``.

    ``only``: the modules are imported from ``packages`` and nowhere else, for tests beside a copy of them.
    """
    log.mkdir()
    (packages / f"{_NAME}.py").write_text(
        _CODE.format(log=str(log), names=sorted(modules), only=str(packages) if only else ""), "utf-8"
    )
    (packages / f"{_NAME}.pth").write_text(f"import {_NAME}\n", "ascii")


def read_recording(log: Path, *, environment: Path, copy: Path) -> RecordedImports:
    """Read what the recorder wrote: lines of module and path, separated by a tab."""
    pairs = {
        (name, where)
        for path in log.iterdir()
        for line in path.read_text("utf-8", "surrogateescape").split("\n")
        for name, _, where in (line.partition("\t"),)
    }
    inside = (os.path.realpath(environment) + os.sep,)
    in_copy = (os.path.realpath(copy) + os.sep,)
    return RecordedImports(
        inside=frozenset(name for name, where in pairs if where.startswith(inside)),
        copied=tuple(sorted((name, where) for name, where in pairs if where.startswith(in_copy))),
    )
