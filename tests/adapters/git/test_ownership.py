"""A folder that git refuses to work in is named as git compares it."""

from __future__ import annotations

from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath

import pytest

from unmoor.adapters.git.ownership import path_for_git, trust_command
from unmoor.filesystem import commands


@pytest.mark.parametrize(
    ("path", "named"),
    [
        (PurePosixPath("/home/me/my project"), "/home/me/my project"),
        (PureWindowsPath(r"C:\Users\Jörg\my project"), "C:/Users/Jörg/my project"),
        (PureWindowsPath(r"\\server\share\pkg"), "%(prefix)///server/share/pkg"),
        (PureWindowsPath(r"\\wsl.localhost\Ubuntu\home\me"), "%(prefix)///wsl.localhost/Ubuntu/home/me"),
    ],
)
def test_a_folder_in_safe_directory(path: PurePath, named: str) -> None:
    """Git writes slashes on every system, and compares a network share of Windows after ``%(prefix)/``."""
    assert path_for_git(path) == named


@pytest.mark.parametrize(
    ("shell", "expected"),
    [
        (
            commands.PosixShell(),
            "git config --global --add safe.directory '{0}' && git config --global --add safe.directory '{0}/.git'",
        ),
        (
            commands.PowerShell(),
            (
                'git config --global --add safe.directory "{0}"; if ($?) {{'
                ' git config --global --add safe.directory "{0}/.git" }}'
            ),
        ),
    ],
)
def test_one_line_to_paste(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shell: commands.CommandShell, expected: str
) -> None:
    """The checkout and its git directory are trusted by one line for the shell of the system."""
    monkeypatch.setattr(commands, "SHELL", shell)
    checkout = tmp_path / "my project"
    (checkout / ".git").mkdir(parents=True)
    assert trust_command(checkout, "") == expected.format(checkout)
