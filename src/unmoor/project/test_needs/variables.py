"""Environment variables that a project sets where it runs its tests, as far as they are written down.

Some tests read where their data is, which settings they run with, or which service they reach, from a variable that
only tox, nox or Hatch sets.
"""

from __future__ import annotations

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

    >>> usable([("SUITE", "{project}/json"), ("TOKEN", "{home}/x"), ("PYTHONPATH", "src"), ("PIP_PRE", "1"), ("N", 1)])
    (('SUITE', '{project}/json'),)
    """
    return tuple(
        (name, value)
        for name, value in dict(pairs).items()
        if isinstance(value, str) and _NAME.fullmatch(name) and not _OTHERS.fullmatch(name) and _is_known(value)
    )


def _is_known(value: str) -> bool:
    plain = value.replace(PROJECT, "")
    return bool(value) and len(value) <= _LONGEST and plain.isprintable() and not {"{", "}"}.intersection(plain)
