"""For which systems a project is, by its classifiers."""

from __future__ import annotations

import pytest

from unmoor.dists.systems import excludes, includes


@pytest.mark.parametrize(
    ("classifiers", "expected"),
    [
        ([], ""),
        (["Programming Language :: Python"], ""),
        (["Operating System :: OS Independent"], "linux darwin win32"),
        (["Operating System :: POSIX"], "linux darwin"),
        (["Operating System :: Unix"], "linux darwin"),
        (["Operating System :: POSIX :: Linux"], "linux"),
        (["Operating System :: MacOS"], "darwin"),
        (["Operating System :: MacOS :: MacOS X"], "darwin"),
        (["Operating System :: Microsoft"], "win32"),
        (["Operating System :: Microsoft :: Windows"], "win32"),
        (["Operating System :: Microsoft :: Windows :: Windows 11"], "win32"),
        (["Operating System :: Microsoft :: MS-DOS"], "none"),
        (["Operating System :: POSIX :: Linux", "Operating System :: Microsoft :: Windows"], "linux win32"),
        (["Operating System :: Android"], "none"),
    ],
)
def test_systems_of_classifiers(classifiers: list[str], expected: str) -> None:
    """A project without classifiers of systems includes and excludes none; otherwise each is one or the other."""
    systems = ("linux", "darwin", "win32")
    assert [each for each in systems if includes(each, classifiers)] == expected.replace("none", "").split()
    excluded = [each for each in systems if excludes(each, classifiers)]
    assert excluded == ([each for each in systems if each not in expected] if expected else [])


@pytest.mark.parametrize("system", ["freebsd14", "cygwin", ""])
def test_a_system_that_is_not_known(system: str) -> None:
    """It is neither included nor left out."""
    classifiers = ["Operating System :: POSIX", "Operating System :: Microsoft :: Windows"]
    assert (includes(system, classifiers), excludes(system, classifiers)) == (False, False)
