"""Which modules and files of an environment belong to the project and what it depends on."""

from __future__ import annotations

import contextlib
import csv
from collections.abc import Collection, Iterable, Iterator
from importlib.metadata import Distribution, PathDistribution
from pathlib import Path

import msgspec
from packaging.utils import canonicalize_name

# Some distributions install these by mistake; the project's own have the same names.
_TESTS = frozenset({"tests", "test", "conftest"})
_ERRORS = (OSError, ValueError, TypeError, csv.Error)


class InstalledCode(msgspec.Struct, frozen=True, kw_only=True):
    """Modules and files, of which the regular packages count as a whole.

    ``modules`` are the outermost modules and packages that have an ``__init__``, dotted if they are in a namespace
    package. ``files`` are absolute.
    """

    modules: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()

    def excuses(self, missing: str, file: str, *, optional: Collection[str] = ()) -> bool:
        """Whether a module that ``file`` did not find says nothing about this code: somebody else lacks it.

        It does if the module is part of the code, or if the code itself imports it, unless an extra of the project
        adds it. ``optional`` are the canonical names of what extras add.
        """
        if not missing or self.has(missing):
            return False
        return file not in self.files or canonicalize_name(missing.partition(".")[0]) in optional

    def has(self, module: str) -> bool:
        """Whether a module belongs to it, as a part of one of its packages, or as a namespace around them."""
        within = (module.rsplit(".", n)[0] for n in range(module.count(".") + 1))
        return any(each in self.modules for each in within) or any(
            each.startswith(f"{module}.") for each in self.modules
        )


def installed_names(packages: Path) -> frozenset[str]:
    """The names of the distributions in a folder of installed packages."""
    return frozenset(name for name, _ in _distributions(packages))


def read_installed(packages: Path, names: Iterable[str]) -> InstalledCode:
    """Read from RECORD what these distributions installed. One that cannot be read is left out."""
    wanted = frozenset(names)
    found = [path for name, each in _distributions(packages) if name in wanted for path in _files(each)]
    folder = packages.resolve()
    return InstalledCode(modules=_outermost(found), files=frozenset(str(folder / path) for path in found))


def _distributions(packages: Path) -> Iterator[tuple[str, Distribution]]:
    """Yield what is installed in a folder, with its canonical name, except what has no readable metadata.

    `importlib.metadata.distributions` would ask the backport importlib_metadata too, once some library has loaded it.
    """
    for folder in sorted(packages.glob("*.dist-info")):
        each = PathDistribution(folder)
        with contextlib.suppress(*_ERRORS):
            if each.name:
                yield canonicalize_name(each.name), each


def _files(distribution: Distribution) -> list[str]:
    try:
        return [str(path) for path in distribution.files or ()]
    except _ERRORS:
        return []


def _outermost(paths: Iterable[str]) -> frozenset[str]:
    """The packages and modules among files, without those that are inside another one."""
    found: set[tuple[str, ...]] = set()
    for path in paths:
        parts = Path(path).parts
        if path.endswith((".py", ".so", ".pyd")) and ".." not in parts and Path(parts[0]).stem not in _TESTS:
            name = parts[-1].partition(".")[0]
            found.add(parts[:-1] if name == "__init__" else (*parts[:-1], name))
    inner = {each for each in found if any(each[:n] in found for n in range(1, len(each)))}
    return frozenset(".".join(each) for each in found - inner if each)
