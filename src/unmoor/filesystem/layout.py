"""Where programs are, in a virtual environment and on the search path, and where the user's home is.

Sources: PEP 405; `sysconfig`'s schemes ``venv`` (``posix_venv``, ``nt_venv``). Not `shutil.which`: an empty or relative
part of PATH leads it into the current folder, which for unmoor is a checkout, and on Windows it begins there anyway.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol

from unmoor.filesystem import windows_programs

NULL_OF_GIT: Final = "/dev/null"
"""The null device as git names it on every system: on Windows it opens ``nul`` instead (git's compat/mingw.c)."""
PROXY_SOCKET: Final = "/run/haproxy/admin.sock"
"""Where the packages of Linux distributions let HAProxy listen for commands."""
HOME_VARIABLES: Final = ("HOME", "USERPROFILE")
"""The variables that may name the user's home; see `home_of`."""


class Layout(Protocol):
    """How a system arranges programs."""

    @property
    def stdin(self) -> str:
        """The path of a program's own standard input, empty if there is none."""

    def scripts(self, environment: Path) -> Path:
        """Return the folder of the console scripts of a virtual environment."""

    def python(self, environment: Path) -> Path:
        """Return the interpreter of a virtual environment."""

    def packages(self, environment: Path) -> Path:
        """Return the folder of the installed packages (purelib). Raises `FileNotFoundError` if there is none."""

    def find(self, name: str, variables: Mapping[str, str]) -> Path | None:
        """Return the program that a name means with these environment variables; ``None`` if there is none."""

    def home(self, variables: Mapping[str, str]) -> Path | None:
        """Return the user's home folder as these environment variables name it; ``None`` if they do not."""


class PosixLayout:
    """Linux and macOS: ``bin``, and programs are files that may be executed; see `Layout`."""

    stdin = "/dev/stdin"

    def scripts(self, environment: Path) -> Path:
        """It is ``bin``."""
        return environment / "bin"

    def python(self, environment: Path) -> Path:
        """It is ``bin/python``."""
        return environment / "bin" / "python"

    def packages(self, environment: Path) -> Path:
        """It is named after the version."""
        found = next(environment.glob("lib/*/site-packages"), None)
        if found is None:
            raise FileNotFoundError(environment / "lib" / "*" / "site-packages")
        return found

    def find(self, name: str, variables: Mapping[str, str]) -> Path | None:
        """Look through PATH. A relative folder there is left out."""
        if "/" in name:
            return Path(name)
        folders = variables.get("PATH", os.defpath).split(":")
        paths = (Path(each, name) for each in folders if each.startswith("/"))
        return next((path for path in paths if path.is_file() and os.access(path, os.X_OK)), None)

    def home(self, variables: Mapping[str, str]) -> Path | None:
        """It is HOME."""
        return Path(variables["HOME"]) if variables.get("HOME") else None


class WindowsLayout:
    """Windows: ``Scripts``, and the ending says what is a program; see `Layout`."""

    stdin = ""

    def scripts(self, environment: Path) -> Path:
        r"""It is ``Scripts``."""
        return environment / "Scripts"

    def python(self, environment: Path) -> Path:
        r"""It is ``Scripts\python.exe``."""
        return environment / "Scripts" / "python.exe"

    def packages(self, environment: Path) -> Path:
        r"""It is ``Lib\site-packages`` in every version."""
        found = environment / "Lib" / "site-packages"
        if not found.is_dir():
            raise FileNotFoundError(found)
        return found

    def find(self, name: str, variables: Mapping[str, str]) -> Path | None:
        """Look through PATH with PATHEXT; see `unmoor.filesystem.windows_programs`."""
        found = windows_programs.find_program(name, cwd=Path.cwd(), env=variables, is_program=os.path.isfile)
        return Path(found) if found is not None else None

    def home(self, variables: Mapping[str, str]) -> Path | None:
        """It is USERPROFILE, as for Python. Without it, HOME, which other systems' programs set."""
        home = variables.get("USERPROFILE") or variables.get("HOME")
        return Path(home) if home else None


LAYOUT: Layout = WindowsLayout() if sys.platform == "win32" else PosixLayout()
"""The layout of this machine."""


def stdin_path() -> str:
    """Return the path by which a program opens its own standard input, empty if this system has none."""
    return LAYOUT.stdin


def scripts_of(environment: Path) -> Path:
    """Return the folder of the console scripts of a virtual environment."""
    return LAYOUT.scripts(environment)


def python_of(environment: Path) -> Path:
    """Return the interpreter of a virtual environment."""
    return LAYOUT.python(environment)


def packages_of(environment: Path) -> Path:
    """Return the folder of the installed packages of a virtual environment. Raises `FileNotFoundError`."""
    return LAYOUT.packages(environment)


def find_program(name: str, variables: Mapping[str, str]) -> Path | None:
    """Return the program that a name means with these environment variables; ``None`` if there is none.

    The current folder is never searched.
    """
    return LAYOUT.find(name, variables)


def home_of(variables: Mapping[str, str]) -> Path | None:
    """Return the user's home folder as these environment variables name it; ``None`` if they do not."""
    return LAYOUT.home(variables)
