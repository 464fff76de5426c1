"""Choose the interpreter that builds and tests a project's files, and determine which files run on it."""

from __future__ import annotations

import platform
import shlex
from collections.abc import Sequence

from packaging.specifiers import SpecifierSet
from packaging.tags import compatible_tags, cpython_tags, sys_tags
from packaging.version import Version

from unmoor import advice
from unmoor.dists import inspect
from unmoor.errors import ToolMissing
from unmoor.ports.environments import Environments, Interpreter
from unmoor.products import File
from unmoor.util.text import clean

AUTO = "auto"


def choose_interpreter(environments: Environments, *, requires: str, wanted: str = AUTO) -> Interpreter:
    """Choose the wanted interpreter. For ``auto``, prefer the one that runs unmoor, then the lowest compatible one.

    ``requires`` is ``Requires-Python``, empty if it is missing. Raises `ToolMissing` if no interpreter fits.
    """
    if wanted != AUTO:
        found = find_interpreter(environments.pythons(), wanted)
        if found is None:
            raise ToolMissing(
                f"there is no Python {wanted} on this machine, but the setting `python` requires it",
                next_step=advice.INSTALL_PYTHON(wanted=wanted),
            )
        return found
    own = environments.own()
    if is_compatible(own.version, requires):
        return own
    found = next((each for each in environments.pythons() if is_compatible(each.version, requires)), None)
    if found is None:
        raise ToolMissing(
            f"the project is for Python {clean(requires)}, unmoor runs on Python {own.version},"
            " and no compatible one was found on this machine",
            next_step=advice.INSTALL_COMPATIBLE_PYTHON(requires=shlex.quote(clean(requires))),
        )
    return found


def is_compatible(version: str, requires: str) -> bool:
    """Whether a version satisfies ``Requires-Python``. An invalid one excludes nothing: the file checks report it."""
    try:
        return Version(version) in SpecifierSet(requires, prereleases=True)
    except ValueError:
        return True


def find_interpreter(found: Sequence[Interpreter], wanted: str) -> Interpreter | None:
    """The highest interpreter of a version such as ``3.12`` or ``3.12.1``, or ``None`` if there is none."""
    return next((each for each in reversed(found) if f"{each.version}.".startswith(f"{wanted}.")), None)


def runs_on(file: File, version: str = "") -> bool:
    """Whether a file can be installed for a CPython on this machine. For an sdist, always true.

    ``version`` is that of the CPython; empty means the interpreter that runs unmoor.
    """
    if not file.is_wheel:
        return True
    tags = inspect.parse_filename(file.name).tags
    if not version or version == platform.python_version():
        return not tags.isdisjoint(sys_tags())
    release = Version(version).release[:2]
    return not tags.isdisjoint(
        {*cpython_tags(release), *compatible_tags(release, interpreter=f"cp{release[0]}{release[1]}")}
    )
