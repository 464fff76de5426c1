"""Environment variables that a project sets where it runs its tests, as far as they are written down.

Some tests read where their data is, which settings they run with, or which service they reach, from a variable that
only tox, nox or Hatch sets.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from typing import Final

PROJECT: Final = "{project}"
"""The folder of the project, in a value."""

Variables = tuple[tuple[str, str], ...]
"""Names with values."""

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LONGEST: Final = 4000
# What configures Python, installers, coverage and the runner itself, or says where the machine has its files: tests run
# in another environment than the one for which the project sets these.
_OTHERS: Final = re.compile(
    r"(?:PYTHON|PIP|UV|POETRY|PDM|HATCH|TOX|NOX|VIRTUALENV|VIRTUAL_ENV|CONDA|COV|PYTEST|LD|DYLD|XDG)(?:_.*)?"
    r"|PYTHON.*|COVERAGE.*|PATH|HOME|USERPROFILE|TMP|TEMP|TMPDIR|SHELL|IFS",
    re.IGNORECASE,
)


def usable(pairs: Iterable[tuple[str, object]]) -> Variables:
    """The variables that tests may need. A value that is not a text, or that only a program could fill in, is left out.

    >>> usable([("SUITE", "{project}/json"), ("TOKEN", "{home}/x"), ("PIP_PRE", "1"), ("PYTHONPATH", "a:/b"), ("N", 1)])
    (('SUITE', '{project}/json'), ('PYTHONPATH', '{project}/a'))
    """
    read = ((name, _below(value) if name == "PYTHONPATH" else value) for name, value in dict(pairs).items())
    return tuple(
        (name, value)
        for name, value in read
        if isinstance(value, str)
        and _NAME.fullmatch(name)
        and (name == "PYTHONPATH" or not _OTHERS.fullmatch(name))
        and _is_known(value)
    )


def _below(value: object) -> str:
    """Those folders of a search path that are in the project: the copy has none of its modules, but may have others."""
    folders = value.split(":") if isinstance(value, str) else []
    known = (each.removeprefix(f"{PROJECT}/") for each in folders if _is_known(each) and each != PROJECT)
    plain = (posixpath.normpath(each) for each in known)
    return ":".join(f"{PROJECT}/{each}" for each in plain if each != "." and not each.startswith(("/", "..", PROJECT)))


def _is_known(value: str) -> bool:
    plain = value.replace(PROJECT, "")
    return bool(value) and len(value) <= _LONGEST and plain.isprintable() and not {"{", "}"}.intersection(plain)
