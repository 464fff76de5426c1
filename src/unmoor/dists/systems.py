"""For which operating systems a project is, by its classifiers ``Operating System ::``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

_START: Final = "Operating System :: "
_NAMED: Final[Mapping[str, re.Pattern[str]]] = {
    "linux": re.compile(r"OS Independent|POSIX( :: Linux)?|Unix"),
    "darwin": re.compile(r"OS Independent|POSIX|Unix|MacOS( :: MacOS X)?"),
    "win32": re.compile(r"OS Independent|Microsoft( :: Windows( :: .*)?)?"),
}
"""The classifiers that include a system, by its name in ``sys.platform``."""


def includes(system: str, classifiers: Iterable[str]) -> bool:
    """Whether a project says that it runs on a system, which has the name that ``sys.platform`` gives it."""
    pattern = _NAMED.get(system)
    return pattern is not None and any(pattern.fullmatch(name) for name in _systems(classifiers))


def excludes(system: str, classifiers: Iterable[str]) -> bool:
    """Whether a project names the systems that it runs on, and this is none of them.

    False for a system without classifiers that are known here: nothing is left out because of what is not known.
    """
    every = tuple(classifiers)
    return system in _NAMED and bool(_systems(every)) and not includes(system, every)


def _systems(classifiers: Iterable[str]) -> list[str]:
    return [each.removeprefix(_START) for each in classifiers if each.startswith(_START)]
