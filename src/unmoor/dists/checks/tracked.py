"""Compare built files with the files that git tracks at the commit: packages are complete, and no secrets got in.

Files are built from a clean clone, so nothing left in a work tree gets in. But a build backend may leave out
files that it is not configured to include, and files may come from another machine.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import PurePosixPath

from packaging.utils import canonicalize_name

from unmoor.dists import inspect
from unmoor.dists.checks.examine import DistFindings
from unmoor.dists.checks.rules import By, CheckRule, Problem, violation
from unmoor.util.secret_scan import secret_file
from unmoor.util.text import list_some

PACKAGE = CheckRule(
    name="tracked-package",
    refuses="a wheel without modules although a package with the project's name is tracked, or an empty wheel although"
    " any package is",
    by=By.UNMOOR,
    warns=True,
)
MODULES = CheckRule(
    name="tracked-modules",
    refuses="a wheel that lacks a module, stub or `py.typed` tracked in its packages, other than tests",
    by=By.UNMOOR,
    warns=True,
)
DATA = CheckRule(
    name="tracked-data",
    refuses="a wheel that lacks templates, schemas or other data tracked in its packages",
    by=By.UNMOOR,
    warns=True,
)
LEFTOVER = CheckRule(
    name="untracked-module",
    refuses="a module in a wheel that was deleted in git, left over from an earlier build",
    by=By.UNMOOR,
    warns=True,
)
SECRET = CheckRule(
    name="untracked-secret",
    refuses="an untracked file such as `.env` or `.pypirc`, a private key, or a `.git` folder",
    by=By.UNMOOR,
)
RULES = (PACKAGE, MODULES, DATA, LEFTOVER, SECRET)

_NAMES_SHOWN = 3
_INIT = "__init__.py"
# Files in a package that only its developers need.
_DEVELOPMENT = re.compile(
    r"(?:^|/)(?:\.[^/]+|_?tests?|docs?|examples?|benchmarks?|frontend|node_modules|conftest\.py|setup\.py"
    r"|test_[^/]*\.py|[^/]*_test\.py|(?:pyproject|ruff)\.toml|(?:package|package-lock|tsconfig)\.json)(?:/|$)"
)
# Files that projects used to track and now often generate.
_VERSION = re.compile(r"/[^/]*version[^/]*\.py$")
# Files that Python code reads at run time, and little else does. No sources of other languages.
_DATA = frozenset({".csv", ".graphql", ".html", ".j2", ".jinja", ".jinja2", ".json", ".lark", ".sql", ".toml"}) | {
    *(".xsd", ".yaml", ".yml")
}


@dataclass(frozen=True)
class Tracked:
    """The paths that git tracks at a commit, including submodules as one path each.

    ``deleted`` returns those of the given paths that git tracked earlier and no longer does.
    """

    paths: frozenset[str]
    deleted: Callable[[Sequence[str]], Iterable[str]] = lambda _: ()

    @classmethod
    def of(cls, paths: Iterable[str], deleted: Callable[[Sequence[str]], Iterable[str]]) -> Tracked:
        """Create it from the paths that git lists."""
        return cls(frozenset(paths), deleted)

    @cached_property
    def _sorted(self) -> Sequence[str]:
        return sorted(self.paths)

    @cached_property
    def _packages(self) -> tuple[str, ...]:
        """Every folder that is a package."""
        return tuple(path.removesuffix(f"/{_INIT}") for path in self._sorted if path.endswith(f"/{_INIT}"))

    @cached_property
    def _ends(self) -> frozenset[str]:
        """Every path and every trailing part of one."""
        return frozenset(
            "/".join(parts[at:]) for path in self.paths for parts in [path.split("/")] for at in range(len(parts))
        )

    def below(self, folder: str) -> Sequence[str]:
        """The paths in a folder, at any depth."""
        start = bisect_left(self._sorted, f"{folder}/")
        return self._sorted[start : bisect_left(self._sorted, f"{folder}0", start)]  # "0" comes right after "/"

    def source_folder(self, package: str, names: Iterable[str]) -> str | None:
        """The tracked folder of a wheel's package, or ``None`` if it cannot be determined.

        ``names`` are the package's modules in the wheel. At least half of them must be tracked in the folder;
        otherwise the package counts as generated.
        """
        own = list(names)
        homes = [path for path in self._packages if f"/{path}".endswith(f"/{package}")]
        found = {
            source_folder: sum(source_folder + name.removeprefix(package) in self.paths for name in own)
            for source_folder in homes
        }
        best = max(homes, key=lambda source_folder: (found[source_folder], -len(source_folder)), default=None)
        return best if best is not None and found[best] * 2 >= len(own) else None

    def package_named(self, project: str) -> str | None:
        """The tracked package with the project's name, or ``None`` if there is none."""
        homes = (path for path in self._packages if not _DEVELOPMENT.search(path))
        wanted = canonicalize_name(project)
        return min(
            (path for path in homes if canonicalize_name(path.rpartition("/")[2]) == wanted), key=len, default=None
        )

    def top_package(self) -> str | None:
        """Any tracked package at the top or in ``src``, or ``None`` if there is none."""
        places = (path for path in self._packages if "/" not in path.removeprefix("src/"))
        return next((path for path in places if not _DEVELOPMENT.search(path)), None)

    def has(self, name: str) -> bool:
        """Whether a file of an archive is tracked or in a submodule. The archive may contain a part of the tree."""
        parts = name.split("/")
        return any("/".join(parts[:upto]) in self._ends for upto in range(len(parts), 0, -1))


def check_file(findings: DistFindings, tracked: Tracked, project: str) -> Iterator[Problem]:
    """Compare the files in an archive with the tracked ones."""
    for name in sorted(findings.names):
        if (what := _secret_kind(name)) and not tracked.has(_import_path(name) or name):
            yield violation(SECRET, f"it contains {name}, which looks like {what} and is not tracked at the commit")
    if findings.file.is_wheel and findings.names:
        yield from _check_wheel(findings.names, tracked, project)


def _check_wheel(names: Iterable[str], tracked: Tracked, project: str) -> Iterator[Problem]:
    """Report files of a wheel's packages that only the repository has, or only the wheel."""
    landed = frozenset(path for name in names if (path := _import_path(name)) is not None)
    modules = {stem for name in landed if (stem := _module_path(name)) is not None}
    if not modules:
        empty = all(".dist-info/" in name for name in names)
        if source_folder := tracked.package_named(project) or (tracked.top_package() if empty else None):
            yield violation(PACKAGE, f"it contains no module, but the package {source_folder} is tracked")
        return
    absent: list[str] = []
    strange: dict[str, str] = {}
    for package in _outermost_packages(modules):
        own = [name for name in landed if name.startswith(f"{package}/") and name.endswith(".py")]
        source_folder = tracked.source_folder(package, own)
        if source_folder is None:
            continue
        sources = {package + source.removeprefix(source_folder): source for source in tracked.below(source_folder)}
        absent += [
            each
            for each in sources.keys() - landed
            if not _DEVELOPMENT.search(each) and _module_path(each) not in modules
        ]
        strange |= {source_folder + name.removeprefix(package): name for name in own if name not in sources}
    yield from _check_missing(sorted(absent))
    wanted = sorted(path for path in strange if not _VERSION.search(path))
    if left := sorted(strange[path] for path in tracked.deleted(wanted)) if wanted else []:
        yield violation(
            LEFTOVER,
            f"it contains {list_some(left, _NAMES_SHOWN)}, which was deleted in git before this commit:"
            " left over from an earlier build",
        )


def _check_missing(absent: Sequence[str]) -> Iterator[Problem]:
    """Report the tracked files that a wheel's packages lack."""
    code = [name for name in absent if name.endswith((".py", ".pyi", "/py.typed"))]
    data = [name for name in absent if PurePosixPath(name).suffix in _DATA]
    if code:
        yield violation(MODULES, f"it lacks {list_some(code, _NAMES_SHOWN)}, which git tracks in its packages")
    if data:
        yield violation(DATA, f"it lacks the data {list_some(data, _NAMES_SHOWN)}, which git tracks in its packages")


# Cached, because the wheels of one release contain mostly the same names.
@lru_cache(maxsize=1 << 15)
def _secret_kind(name: str) -> str:
    return secret_file(name)


@lru_cache(maxsize=1 << 15)
def _import_path(name: str) -> str | None:
    """The path of a member below site-packages, or ``None`` if it is not installed there."""
    path = inspect.import_path(name)
    return None if path is None else str(path)


def _module_path(name: str) -> str | None:
    """The path of a module without its suffix, or ``None`` for a file that cannot be imported."""
    folder, _, file = name.rpartition("/")
    return f"{folder}/{file.partition('.')[0]}" if file.endswith((".py", ".so", ".pyd")) else None


def _outermost_packages(modules: Iterable[str]) -> list[str]:
    """The packages that are not inside another one."""
    packages = {stem.removesuffix("/__init__") for stem in modules if stem.endswith("/__init__")} - {""}
    return sorted(each for each in packages if not packages.intersection(map(str, PurePosixPath(each).parents)))
