"""Find what of a repository the tests within a package read beside it, as ``Path(__file__).parents[2] / "examples"``.

Such tests run in the folder of installed packages, where that is not. It may be put there only if nothing but the tests
reads it: a package that reads what its wheel lacks must fail.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

import msgspec

from unmoor.project.written_version import tree_of

_MOST_FILES = 2000
_SEPARATOR = re.compile(r"[/\\]")
_PROSE = re.compile(r"\n|://")


class Beside(msgspec.Struct, frozen=True, kw_only=True):
    """A file or folder of the repository. ``up`` is 0 beside the package, 1 beside the folder around it, and so on."""

    path: str
    up: int


def read_beside(copy: Path, files: Sequence[str], package: str, tests: Iterable[str]) -> Iterator[Beside]:
    """What tests within a package name, and no other module of it, of what is beside the package and above that.

    ``files`` are those of the repository, with slashes, all below the folder ``copy``. ``package`` is the folder of the
    package, as ``src/one``, and ``tests`` are the files that belong to its tests.
    """
    own = set(tests)
    modules = [path for path in files if path.startswith(f"{package}/") and path.endswith(".py")][:_MOST_FILES]
    named = _named(copy, (path for path in modules if path in own))
    named -= _named(copy, (path for path in modules if path not in own))
    parents = list(PurePosixPath(package).parents)
    for up, parent in enumerate(parents):
        above = "" if str(parent) == "." else f"{parent}/"
        below = (path.removeprefix(above) for path in files if path.startswith(above))
        for name in sorted(dict.fromkeys(path.partition("/")[0] for path in below)):
            if name in named and not _is_module(above, name) and f"{above}{name}" not in {package, *map(str, parents)}:
                yield Beside(path=f"{above}{name}", up=up)


def _is_module(above: str, name: str) -> bool:
    """Whether it may be one that the wheel forgot, beside the package in its folder, or is pytest's own."""
    return name == "conftest.py" or (bool(above) and name.endswith(".py"))


def _named(copy: Path, paths: Iterable[str]) -> set[str]:
    """The parts of paths in the strings of Python files."""
    found: set[str] = set()
    for path in paths:
        whole = copy / path
        tree = tree_of(whole.read_bytes()) if whole.is_file() and not whole.is_symlink() else None
        for node in ast.walk(tree) if tree is not None else ():
            # Neither a docstring nor an address is a path.
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and not _PROSE.search(node.value):
                found.update(_SEPARATOR.split(node.value))
    return found
