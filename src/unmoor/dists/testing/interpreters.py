"""Choose the interpreter that builds and tests a project's files, and determine which files run on it."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from functools import cache

from packaging.specifiers import SpecifierSet
from packaging.tags import Tag, compatible_tags, cpython_tags, platform_tags, sys_tags
from packaging.version import Version

from unmoor import advice
from unmoor.dists import inspect
from unmoor.dists.testing.legs import COMMAND, leg_for
from unmoor.errors import CheckFailed, ToolMissing
from unmoor.filesystem.commands import quote
from unmoor.ports.environments import Environments, Interpreter, running
from unmoor.products import File, Result, Verdict
from unmoor.util.text import clean, list_some
from unmoor.util.values import replace

AUTO = "auto"
_CPYTHON = re.compile(r"(?:cp|py)([0-9])([0-9]+)")
# Older ones name their ABI with an "m", for pymalloc.
_FIRST_WITHOUT_M = (3, 8)


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
    usual = (each for each in environments.pythons() if not each.free_threaded)
    found = next((each for each in usual if is_compatible(each.version, requires)), None)
    if found is None:
        raise ToolMissing(
            f"the project is for Python {clean(requires)}, unmoor runs on Python {own.version},"
            " and no compatible one was found on this machine",
            next_step=advice.INSTALL_COMPATIBLE_PYTHON(requires=quote(clean(requires))),
        )
    return found


def is_compatible(version: str, requires: str) -> bool:
    """Whether a version satisfies ``Requires-Python``. An invalid one excludes nothing: the file checks report it."""
    try:
        return Version(version) in SpecifierSet(requires, prereleases=True)
    except ValueError:
        return True


def find_interpreter(found: Sequence[Interpreter], wanted: str) -> Interpreter | None:
    """The highest interpreter of a version such as ``3.12``, ``3.12.1`` or ``3.13t``, or ``None`` if there is none."""
    version = wanted.removesuffix("t")
    kind = [each for each in found if each.free_threaded is (version != wanted)]
    return next((each for each in reversed(kind) if f"{each.version}.".startswith(f"{version}.")), None)


def runs_on(file: File, python: Interpreter) -> bool:
    """Whether a file can be installed for an interpreter on this machine. For an sdist, always true."""
    return not file.is_wheel or not inspect.parse_filename(file.name).tags.isdisjoint(_tags(python))


def needs(file: File) -> tuple[str, str]:
    """Say what a wheel needs that may not be here: a platform of another machine, or else a Python.

    Returns the platform, or an empty text and the Python: ``3.12`` or ``3.13t`` for CPython, else the tag.
    """
    tags = inspect.parse_filename(file.name).tags
    here = {"any", *platform_tags()}
    if all(tag.platform not in here for tag in tags):
        return min(tag.platform for tag in tags), ""
    tag = min(tags, key=lambda each: (len(each.interpreter), each.interpreter))
    found = _CPYTHON.fullmatch(tag.interpreter)
    if found is None:
        return "", tag.interpreter
    return "", f"{found[1]}.{found[2]}" + ("t" if tag.abi.endswith("t") else "")


@cache
def _tags(python: Interpreter) -> frozenset[Tag]:
    """The tags of the wheels that an interpreter on this machine can install."""
    if replace(python, path=sys.executable) == running():
        return frozenset(sys_tags())
    major, minor = Version(python.version).release[:2]
    name = f"cp{major}{minor}"
    abi = f"{name}t" if python.free_threaded else f"{name}m" if (major, minor) < _FIRST_WITHOUT_M else name
    own = cpython_tags((major, minor), abis=[abi])
    return frozenset((*own, *compatible_tags((major, minor), interpreter=name)))


def no_interpreter(files: Sequence[File]) -> CheckFailed:
    """The error for files that nothing here can run, and that no other machine has proven."""
    wanted: dict[tuple[str, str], list[str]] = {}
    for file in files:
        wanted.setdefault(needs(file), []).append(file.name)
    missing = [
        f"{list_some(names, 3)} {'is' if len(names) == 1 else 'are'} for {elsewhere or _python(python)}"
        for (elsewhere, python), names in wanted.items()
    ]
    installable = sorted({python for _, python in wanted if python[:1].isdigit()})
    steps = [advice.INSTALL_PYTHONS(versions=" ".join(installable))] if installable else []
    legs = sorted({leg_for(elsewhere) for elsewhere, _ in wanted if elsewhere})
    steps += [advice.PROVE_ELSEWHERE(legs=list_some(legs, 3), command=COMMAND)] if legs else []
    return CheckFailed(
        f"{'; '.join(missing)}: not available here, and no proof of {'it' if len(files) == 1 else 'them'} was handed"
        " over",
        next_step=advice.join([*steps, advice.LEAVE_FILE_OUT()]),
    )


def untried(file: File) -> Result | None:
    """The result for a file that only another machine can try; ``None`` if installing a Python here would do.

    It names the leg that would try it.
    """
    elsewhere, python = needs(file)
    if not elsewhere and python[:1].isdigit():
        return None
    needed = f"{leg_for(elsewhere)} would try it" if elsewhere else f"it needs {python}"
    return Result(name=file.name, verdict=Verdict.NOT_TESTED, detail=f"not tried on this platform: {needed}")


def _python(name: str) -> str:
    """The name of a Python for people: a version of CPython, or the tag of another implementation."""
    return f"Python {name}" if name[:1].isdigit() else name
