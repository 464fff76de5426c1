r"""Where a user's settings, caches and data are on each system.

Sources: the XDG Base Directory Specification; pip's documentation, "Configuration" (``pip.ini`` on Windows, and two
places on macOS); uv's documentation, "Storage" and "Configuration files". Not platformdirs: it gives the folders of
this process, by the known folders of Windows, and these are asked for any environment.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from unmoor.adapters.process.system import this_system
from unmoor.filesystem.layout import home_of
from unmoor.ports.system import MACOS, WINDOWS, System

_SERVICE_PROGRAMS: Final = ("/usr/local/sbin", "/usr/sbin", "/opt/homebrew/sbin")
PROXY_STATE: Final = "/var/lib/haproxy/servers.state"
"""Where the packages of Linux distributions let HAProxy keep the state of its servers."""
_MACOS_PIP: Final = "Library/Application Support/pip/pip.conf"


class UserPlaces(msgspec.Struct, frozen=True, kw_only=True):
    """Where a user's files are; ``None`` is a place that this environment does not name.

    ``pip`` are pip's settings: each file, and its place below a HOME. ``uv`` is uv's file of settings, and
    ``uv_in_home`` its place below a HOME; ``uv_cache`` and ``uv_data`` are uv's folders, and ``uv_machine`` has the
    settings of all users.
    """

    home: Path | None
    pip: tuple[tuple[Path, str], ...]
    uv: Path | None
    uv_in_home: str
    uv_cache: Path | None
    uv_data: Path | None
    uv_machine: Path | None


def user_places(environ: Mapping[str, str], system: System | None = None) -> UserPlaces:
    """Return the places that an environment gives a user on a system; on this one by default."""
    system = system or this_system()
    return _on_windows(environ) if system == WINDOWS else _on_posix(environ, system)


def home_variables(folder: Path, system: System | None = None) -> dict[str, str]:
    """Return the variables by which programs find their files below a folder instead of the user's home."""
    if (system or this_system()) != WINDOWS:
        return {"HOME": str(folder)}
    return {
        "HOME": str(folder),  # for git, ssh and others that come from elsewhere
        "USERPROFILE": str(folder),
        "HOMEDRIVE": folder.drive,
        "HOMEPATH": str(folder)[len(folder.drive) :],
        "APPDATA": str(folder / "AppData" / "Roaming"),
        "LOCALAPPDATA": str(folder / "AppData" / "Local"),
    }


def _on_posix(environ: Mapping[str, str], system: System) -> UserPlaces:
    home = home_of(environ)
    config = _folder(environ, "XDG_CONFIG_HOME") or _below(home, ".config")
    data = _folder(environ, "XDG_DATA_HOME") or _below(home, ".local/share")
    cache = _folder(environ, "XDG_CACHE_HOME") or _below(home, ".cache")
    pip = [(_below(home, ".pip/pip.conf"), ".pip/pip.conf"), (_below(config, "pip/pip.conf"), ".config/pip/pip.conf")]
    if system == MACOS:
        pip += [(_below(home, _MACOS_PIP), _MACOS_PIP)]
    return UserPlaces(
        home=home,
        pip=tuple((file, place) for file, place in pip if file is not None),
        uv=_below(config, "uv/uv.toml"),
        uv_in_home=".config/uv/uv.toml",
        uv_cache=_below(cache, "uv"),
        uv_data=_below(data, "uv"),
        uv_machine=Path("/etc/uv/uv.toml"),
    )


def _on_windows(environ: Mapping[str, str]) -> UserPlaces:
    home = home_of(environ)
    roaming = _folder(environ, "APPDATA") or _below(home, "AppData/Roaming")
    local = _folder(environ, "LOCALAPPDATA") or _below(home, "AppData/Local")
    pip = [
        (_below(home, "pip/pip.ini"), "pip/pip.ini"),
        (_below(roaming, "pip/pip.ini"), "AppData/Roaming/pip/pip.ini"),
    ]
    data = _below(roaming, "uv")
    former = _below(data, "data")
    return UserPlaces(
        home=home,
        pip=tuple((file, place) for file, place in pip if file is not None),
        uv=_below(roaming, "uv/uv.toml"),
        uv_in_home="AppData/Roaming/uv/uv.toml",
        uv_cache=_below(local, "uv/cache"),
        uv_data=former if former is not None and former.is_dir() else data,
        uv_machine=_below(_folder(environ, "PROGRAMDATA"), "uv/uv.toml"),
    )


def _folder(environ: Mapping[str, str], name: str) -> Path | None:
    return Path(environ[name]) if environ.get(name) else None


def _below(folder: Path | None, name: str) -> Path | None:
    return None if folder is None else folder / name


def find_service_program(name: str, environ: Mapping[str, str]) -> str:
    """The path of a program such as haproxy, empty if there is none. Not every user has its folder in ``PATH``."""
    path = os.pathsep.join((environ.get("PATH", ""), *_SERVICE_PROGRAMS))
    return shutil.which(name, path=path) or ""
