"""Tests of the choice of a system."""

import sys

import pytest

from unmoor.adapters.process.system import system_named, this_system


@pytest.mark.parametrize(
    ("name", "title", "images"),
    [
        ("linux", "Linux", True),
        ("darwin", "macOS", False),
        ("win32", "Windows", False),
        ("freebsd14", "freebsd14", False),
        ("cygwin", "cygwin", False),
    ],
)
def test_only_linux_has_stages_of_images(name: str, title: str, *, images: bool) -> None:
    """Each system has a title, and images are released on Linux only, also among systems that nobody has tried."""
    system = system_named(name)

    assert (system.name, system.title, system.images) == (name, title, images)


def test_this_system_is_the_one_that_python_runs_on() -> None:
    """The system of this machine has the name that Python gives it, and is the same value each time."""
    assert this_system().name == sys.platform
    assert this_system() is this_system()
