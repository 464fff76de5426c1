"""Programs are found where each system has them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from tests.support.systems import posix

from unmoor.filesystem import layout
from unmoor.filesystem.layout import Layout, PosixLayout, WindowsLayout

LAYOUTS: dict[str, Layout] = {"posix": PosixLayout(), "windows": WindowsLayout()}


@pytest.mark.parametrize(
    ("which", "scripts", "python", "packages"),
    [
        ("posix", "bin", "bin/python", "lib/python3.12/site-packages"),
        ("posix", "bin", "bin/python", "lib/python3.13t/site-packages"),
        ("posix", "bin", "bin/python", "lib/pypy3.11/site-packages"),
        ("windows", "Scripts", "Scripts/python.exe", "Lib/site-packages"),
    ],
)
def test_a_virtual_environment(tmp_path: Path, which: str, scripts: str, python: str, packages: str) -> None:
    """The interpreter, the scripts and the packages are where the system's venv puts them."""
    found = LAYOUTS[which]
    with pytest.raises(FileNotFoundError, match="site-packages"):
        found.packages(tmp_path)
    (tmp_path / packages).mkdir(parents=True)
    assert (found.scripts(tmp_path), found.python(tmp_path), found.packages(tmp_path)) == (
        tmp_path / scripts,
        tmp_path / python,
        tmp_path / packages,
    )


def test_this_environment_has_this_layout() -> None:
    """The interpreter and the packages of a real environment are found."""
    assert layout.python_of(Path(sys.prefix)).is_file()
    assert layout.scripts_of(Path(sys.prefix)) == Path(sys.executable).parent
    assert Path(pytest.__file__).is_relative_to(layout.packages_of(Path(sys.prefix)))
    assert layout.find_program("sh", os.environ) is not None


def program(path: Path) -> Path:
    """Write a file that may be executed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(0o755)
    return path


@posix
@pytest.mark.parametrize("at", ["checkout/git", "checkout/relative/git", "none"])
@pytest.mark.parametrize("path", ["{tools}", ":{tools}", ".:{tools}", "relative:{tools}:", "{plain}:{tools}"])
def test_a_program_is_never_taken_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str, path: str
) -> None:
    """A ``git`` in a checkout is not git: neither an empty nor a relative part of PATH leads to it."""
    (tmp_path / "checkout").mkdir()
    tools, plain = program(tmp_path / "tools" / "git").parent, tmp_path / "plain"
    program(tmp_path / at)
    plain.mkdir()
    (plain / "git").touch(0o644)
    monkeypatch.chdir(tmp_path / "checkout")
    found = LAYOUTS["posix"]
    variables = {"PATH": path.format(tools=tools, plain=plain)}
    assert found.find("git", variables) == tools / "git"
    assert found.find("none", variables) is None
    assert found.find("git", {"PATH": ".:relative:"}) is None
    assert found.find(str(tools / "git"), {}) == tools / "git"


def test_programs_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are found with their ending, by variables whose names have no case."""
    monkeypatch.setattr(os.path, "isfile", lambda path: path == r"C:\Git\cmd\git.exe")
    variables = {"Path": r".;C:\Git\cmd", "PathExt": ".COM;.exe"}
    assert str(LAYOUTS["windows"].find("git", variables)) == r"C:\Git\cmd\git.exe"
    assert LAYOUTS["windows"].find("make", variables) is None
