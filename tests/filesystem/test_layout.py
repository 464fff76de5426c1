"""Programs are found where each system has them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

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
    assert layout.program_in(Path(sys.executable).parent, "pytest") is not None
    assert layout.find_program("sh", os.environ) is not None


@pytest.mark.parametrize(
    ("names", "asked", "found"),
    [
        (["tool.exe"], "tool", "tool.exe"),
        (["tool.cmd", "tool.exe"], "tool", "tool.exe"),
        (["tool.cmd"], "tool", "tool.cmd"),
        (["tool.exe"], "tool.exe", "tool.exe"),
        (["tool.py"], "tool", None),
        (["tool"], "tool", None),
        (["tool-3.12.exe"], "tool-3.12", "tool-3.12.exe"),
        ([], "tool", None),
    ],
)
def test_a_program_on_windows_has_an_ending(tmp_path: Path, names: list[str], asked: str, found: str | None) -> None:
    """Entry points are ``.exe`` files; the order of the endings is that of PATHEXT; a file without one is none."""
    for name in names:
        (tmp_path / name).touch()
    assert WindowsLayout().program(tmp_path, asked) == (tmp_path / found if found else None)


def executable(path: Path) -> None:
    """A program for either system."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for each in (path, path.with_name(f"{path.name}.exe")):
        each.touch(0o755)


def on_path(_: Path) -> None:
    """Only on the path."""


def planted(cwd: Path) -> None:
    """In the current folder too, which comes from a repository."""
    executable(cwd / "git")


@pytest.mark.parametrize(("which", "separator"), [("posix", ":"), ("windows", ";")])
@pytest.mark.parametrize("plant", [on_path, planted])
def test_a_program_is_never_taken_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, which: str, separator: str, plant: Callable[[Path], None]
) -> None:
    """A ``git.exe`` in a checkout is not git: neither an empty nor a relative part of PATH leads to it."""
    cwd, tools = tmp_path / "checkout", tmp_path / "tools"
    cwd.mkdir()
    executable(tools / "git")
    plant(cwd)
    monkeypatch.chdir(cwd)
    found = LAYOUTS[which]
    path = separator.join(["", ".", "relative", str(tools)])
    assert found.find("git", {"PATH": path}) == tools / {"posix": "git", "windows": "git.exe"}[which]
    assert found.find("git", {"PATH": "."}) is None
    assert found.find("none", {"PATH": path}) is None
    assert found.find(str(tools / "git"), {}) == tools / "git"


@pytest.mark.parametrize("name", ["Path", "PATH", "path"])
def test_variables_of_windows_are_in_any_case(tmp_path: Path, name: str) -> None:
    """``Path`` is how Windows itself writes it; a part may be quoted; PATHEXT may add endings."""
    executable(tmp_path / "git")
    (tmp_path / "make.PY").touch()
    found = LAYOUTS["windows"]
    assert found.find("git", {name: f'"{tmp_path}"'}) == tmp_path / "git.exe"
    assert found.find("make.PY", {name: str(tmp_path), "PathExt": ".EXE;.PY"}) == tmp_path / "make.PY"
