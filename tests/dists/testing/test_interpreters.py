"""The interpreter is the one that runs unmoor, or else the lowest that the project supports."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.stages.conftest import shell

from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.uv import Uv
from unmoor.dists.testing.interpreters import choose_interpreter, find_interpreter, is_compatible, runs_on
from unmoor.errors import ToolMissing
from unmoor.ports.environments import Interpreter
from unmoor.products import File

__all__ = ["shell"]
HERE = tuple(Interpreter(version=version, path=f"/{version}") for version in ("3.8.18", "3.11.2", "3.11.7", "3.12.1"))


class UvWithInterpreters(Uv):
    """A machine with several interpreters, where unmoor runs on 3.11.7."""

    def own(self) -> Interpreter:
        """The third of them."""
        return HERE[2]

    def pythons(self) -> tuple[Interpreter, ...]:
        """All of them."""
        return HERE


@pytest.mark.parametrize(
    ("requires", "wanted", "expected"),
    [
        ("", "auto", "3.11.7"),
        (">=3.9", "auto", "3.11.7"),
        (">=3.12", "auto", "3.12.1"),
        ("<3.11.5", "auto", "3.8.18"),
        ("nonsense", "auto", "3.11.7"),
        ("", "3.11", "3.11.7"),
        ("", "3.11.2", "3.11.2"),
        (">=3.13", "auto", "is for Python >=3.13"),
        ("", "3.1", "no Python 3.1 "),
    ],
)
def test_choose_interpreter(shell: LocalShell, requires: str, wanted: str, expected: str) -> None:
    """By default unmoor's interpreter is chosen, or else the lowest compatible one. A missing one is an error."""
    machine = UvWithInterpreters(shell=shell)
    if " " in expected:
        with pytest.raises(ToolMissing, match=expected):
            choose_interpreter(machine, requires=requires, wanted=wanted)
    else:
        assert choose_interpreter(machine, requires=requires, wanted=wanted).version == expected


@pytest.mark.parametrize(
    ("name", "version", "runs"),
    [
        ("a-1.tar.gz", "3.8.18", True),
        ("a-1-py3-none-any.whl", "3.8.18", True),
        ("a-1-py312-none-any.whl", "3.8.18", False),
        ("a-1-cp39-cp39-win32.whl", "3.9.1", False),
        ("a-1-cp39-cp39-linux_x86_64.whl", "3.9.1", True),
        ("a-1-cp39-abi3-linux_x86_64.whl", "3.12.1", True),
        ("a-1-cp39-cp39-linux_x86_64.whl", "3.12.1", False),
    ],
)
def test_runs_on(name: str, version: str, *, runs: bool) -> None:
    """The tags of a wheel decide which interpreters it runs on, regardless of the one that runs unmoor."""
    import platform

    if "linux_x86_64" in name and (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        pytest.skip("this machine is not Linux on x86_64")
    assert runs_on(File(name=name, sha256="", size=0, path=Path(name)), version) == runs


def test_what_uv_finds(shell: LocalShell) -> None:
    """The running interpreter is found, and versions are sorted and unique."""
    import platform

    found = Uv(shell=shell).pythons()
    versions = [tuple(map(int, each.version.split("."))) for each in found]
    assert versions == sorted(set(versions))
    own = find_interpreter(found, platform.python_version())
    assert own == Uv(shell=shell).own()
    assert is_compatible(platform.python_version(), ">=3.11")
