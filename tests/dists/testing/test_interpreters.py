"""The interpreter is the one that runs unmoor, or else the lowest that the project supports."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.stages.conftest import shell

from unmoor.adapters.process.architecture import architecture
from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.uv import _OTHER_LIBC, Uv
from unmoor.dists.testing.interpreters import choose_interpreter, find_interpreter, is_compatible, needs, runs_on
from unmoor.errors import ToolMissing
from unmoor.ports.environments import Interpreter
from unmoor.ports.shell import Ran
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
        ("a-1-cp37-cp37m-linux_x86_64.whl", "3.7.17", True),
        ("a-1-cp313-cp313-linux_x86_64.whl", "3.13.1", True),
        ("a-1-cp313-cp313t-linux_x86_64.whl", "3.13.1", False),
        ("a-1-cp313-cp313t-linux_x86_64.whl", "3.13.1t", True),
        ("a-1-cp313-cp313-linux_x86_64.whl", "3.13.1t", False),
        ("a-1-cp39-abi3-linux_x86_64.whl", "3.13.1t", False),
        ("a-1-py3-none-linux_x86_64.whl", "3.13.1t", True),
        ("a-1-py3-none-manylinux_2_5_x86_64.linux_x86_64.whl", "3.12.1", True),
        ("a-1-py2.py3-none-any.whl", "3.12.1", True),
        ("a-1-pp310-pypy310_pp73-linux_x86_64.whl", "3.10.1", False),
    ],
)
def test_runs_on(name: str, version: str, *, runs: bool) -> None:
    """The tags of a wheel decide which interpreters it runs on, regardless of the one that runs unmoor."""
    import platform

    python = Interpreter(version=version.removesuffix("t"), path="/python", free_threaded=version.endswith("t"))
    if "linux_x86_64" in name and (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        pytest.skip("this machine is not Linux on x86_64")
    assert runs_on(File(name=name, sha256="", size=0, path=Path(name)), python) == runs


@pytest.mark.parametrize(
    ("tags", "platform", "python"),
    [
        ("cp312-cp312-PLATFORM", "", "3.12"),
        ("cp313-cp313t-PLATFORM", "", "3.13t"),
        ("cp39-abi3-PLATFORM", "", "3.9"),
        ("py312-none-any", "", "3.12"),
        ("pp310-pypy310_pp73-PLATFORM", "", "pp310"),
        ("cp312-cp312-win_amd64", "win_amd64", ""),
        ("cp312-cp312-macosx_10_9_x86_64.macosx_11_0_arm64", "macosx_10_9_x86_64", ""),
        ("py3-none-nowhere_mips", "nowhere_mips", ""),
    ],
)
def test_what_a_wheel_needs(tags: str, platform: str, python: str) -> None:
    """It is another platform, or else a Python, as uv calls it if it can install it."""
    from packaging.tags import platform_tags

    name = f"a-1-{tags.replace('PLATFORM', next(iter(platform_tags())))}.whl"
    assert needs(File(name=name, sha256="", size=0, path=Path(name))) == (platform, python)


@dataclass(frozen=True, kw_only=True)
class UvThatLists(Uv):
    """A uv that finds other interpreters than those of this machine."""

    listed: tuple[dict[str, str], ...] = ()

    def uv(self, args: Sequence[str], *, cwd: Path) -> Ran:
        """Its list."""
        del cwd
        assert args[:2] == ("python", "list")
        usual = {"implementation": "cpython", "variant": "default", "libc": "gnu"}
        found = [{**usual, "path": f"/{number}", **each} for number, each in enumerate(self.listed)]
        return Ran(args=tuple(args), code=0, out=json.dumps(found), err="")


def test_kinds_of_interpreters(shell: LocalShell) -> None:
    """Free-threaded builds are found and have a name of their own; those that need other wheels are left out."""
    listed: tuple[dict[str, str], ...] = (
        {"version": "3.14.0", "variant": "freethreaded"},
        {"version": "3.14.0"},
        {"version": "3.14.0", "path": "/again"},
        {"version": "3.14.1", "variant": "debug"},
        {"version": "3.14.2", "libc": _OTHER_LIBC},
        {"version": "3.14.3", "implementation": "pypy"},
        {"version": "3.15.0rc1", "libc": "none"},
        {"version": "3.15.1", "arch": "x86" if architecture() != "x86" else "x86_64"},
        {"version": "3.15.2", "arch": "riscv64"},
    )
    found = UvThatLists(shell=shell, listed=listed).pythons()
    later = [each for each in found if each.path.startswith("/") and len(each.path) == 2]
    assert [(each.series, each.path) for each in later] == [("3.14", "/1"), ("3.14t", "/0"), ("3.15", "/6")]
    for wanted, path in (("3.14", "/1"), ("3.14t", "/0"), ("3.14.0t", "/0")):
        chosen = find_interpreter(found, wanted)
        assert chosen is not None
        assert chosen.path == path
    assert find_interpreter(found, "3.15t") is None


def test_what_uv_finds(shell: LocalShell) -> None:
    """The running interpreter is found, and versions are sorted and unique."""
    import platform

    found = Uv(shell=shell).pythons()
    versions = [tuple(map(int, each.version.split("."))) for each in found]
    assert versions == sorted(set(versions))
    own = find_interpreter(found, platform.python_version())
    assert own == Uv(shell=shell).own()
    assert is_compatible(platform.python_version(), ">=3.11")
