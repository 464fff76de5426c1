"""Which modules of a wheel the project is named after, and which version they say they have."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from packaging.utils import canonicalize_name

from unmoor.dists import inspect
from unmoor.project.other_versions import version_of_module
from unmoor.project.written_version import WrittenVersion


def main_modules(project: str, modules: Iterable[str]) -> frozenset[str]:
    """The modules that a plain install is for: those with the project's name, or else those whose name is part of it.

    A project's only module is its main one. If no name fits, all are, except for those that begin with ``_``.
    """
    names = tuple(modules)
    wanted = canonicalize_name(project)
    exact = {name for name in names if canonicalize_name(name) == wanted}
    if exact or len(names) == 1:
        return frozenset(exact or names)
    public = {name for name in names if not name.rpartition(".")[2].startswith("_")}
    similar = {name for name in public if _is_part(_squashed(name), _squashed(project))}
    return frozenset(similar or public or names)


def _is_part(name: str, project: str) -> bool:
    return name in project or project in name


def _squashed(name: str) -> str:
    """A name without separators, and without the words that only say "Python"."""
    return re.sub(r"[^a-z0-9]", "", re.sub(r"(?i)\bpython\b", "", name).lower())


def versions_in_wheel(wheel: Path, modules: Iterable[str]) -> tuple[WrittenVersion, ...]:
    """The literal ``__version__`` of each module that has one, with its path below site-packages.

    It may be in another module of the wheel, from which the module imports it. Raises `InvalidDist`.
    """
    with inspect.open_installed(wheel) as open_file:

        @cache
        def read(path: str) -> bytes | None:
            content = open_file(path) if path.endswith(".py") else None
            return content if content is not None and mentions_version(content) else None

        return tuple(found for module in modules if (found := version_of_module(read, module)) is not None)


def mentions_version(source: bytes) -> bool:
    """Whether source code may say or import a version. A quick test that most modules fail."""
    return b"version" in source.lower()
