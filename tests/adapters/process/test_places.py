"""A user's files are looked for where each system has them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from unmoor.adapters.process.places import home_variables, user_places
from unmoor.filesystem import layout
from unmoor.filesystem.layout import PosixLayout, WindowsLayout
from unmoor.ports.system import LINUX, MACOS, WINDOWS, System

HOME = {"HOME": "/home/me"}
XDG = {
    "HOME": "/home/me",
    "XDG_CONFIG_HOME": "/conf",
    "XDG_CACHE_HOME": "/cache",
    "XDG_DATA_HOME": "/data",
}
PROFILE = {
    "USERPROFILE": "/Users/me",
    "HOME": "/other",
    "APPDATA": "/Users/me/AppData/Roaming",
    "LOCALAPPDATA": "/Users/me/AppData/Local",
    "PROGRAMDATA": "/ProgramData",
}
LAYOUTS = {LINUX.name: PosixLayout(), MACOS.name: PosixLayout(), WINDOWS.name: WindowsLayout()}


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch, system: System) -> System:
    """The system of a row, with its layout."""
    monkeypatch.setattr(layout, "LAYOUT", LAYOUTS[system.name])
    return system


@pytest.mark.parametrize(
    ("system", "environ", "home", "pip", "uv"),
    [
        (
            LINUX,
            HOME,
            "/home/me",
            ["/home/me/.pip/pip.conf", "/home/me/.config/pip/pip.conf"],
            ["/home/me/.config/uv/uv.toml", "/home/me/.cache/uv", "/home/me/.local/share/uv", "/etc/uv/uv.toml"],
        ),
        (
            LINUX,
            XDG,
            "/home/me",
            ["/home/me/.pip/pip.conf", "/conf/pip/pip.conf"],
            ["/conf/uv/uv.toml", "/cache/uv", "/data/uv", "/etc/uv/uv.toml"],
        ),
        (LINUX, {}, None, [], [None, None, None, "/etc/uv/uv.toml"]),
        (LINUX, {"USERPROFILE": "/mnt/c/Users/me"}, None, [], [None, None, None, "/etc/uv/uv.toml"]),
        (
            MACOS,
            HOME,
            "/home/me",
            [
                "/home/me/.pip/pip.conf",
                "/home/me/.config/pip/pip.conf",
                "/home/me/Library/Application Support/pip/pip.conf",
            ],
            ["/home/me/.config/uv/uv.toml", "/home/me/.cache/uv", "/home/me/.local/share/uv", "/etc/uv/uv.toml"],
        ),
        (
            WINDOWS,
            PROFILE,
            "/Users/me",
            ["/Users/me/pip/pip.ini", "/Users/me/AppData/Roaming/pip/pip.ini"],
            [
                "/Users/me/AppData/Roaming/uv/uv.toml",
                "/Users/me/AppData/Local/uv/cache",
                "/Users/me/AppData/Roaming/uv",
                "/ProgramData/uv/uv.toml",
            ],
        ),
        (
            WINDOWS,
            {"HOME": "/Users/me"},
            "/Users/me",
            ["/Users/me/pip/pip.ini", "/Users/me/AppData/Roaming/pip/pip.ini"],
            [
                "/Users/me/AppData/Roaming/uv/uv.toml",
                "/Users/me/AppData/Local/uv/cache",
                "/Users/me/AppData/Roaming/uv",
                None,
            ],
        ),
        (WINDOWS, {}, None, [], [None, None, None, None]),
    ],
)
def test_places_by_system(
    on: System, environ: Mapping[str, str], home: str | None, pip: list[str], uv: list[str | None]
) -> None:
    """Each variable is the one of the system; a place that none of them names is unknown."""
    found = user_places(environ, on)
    assert found.home == (Path(home) if home else None)
    assert [file.as_posix() for file, _ in found.pip] == pip
    places = (found.uv, found.uv_cache, found.uv_data, found.uv_machine)
    assert [place and place.as_posix() for place in places] == uv


@pytest.mark.parametrize("system", [WINDOWS])
def test_data_of_an_older_uv(on: System, tmp_path: Path) -> None:
    """Uv keeps its data where it began: in ``data``, if that is there."""
    environ = {"USERPROFILE": str(tmp_path), "APPDATA": str(tmp_path / "Roaming")}
    assert user_places(environ, on).uv_data == tmp_path / "Roaming" / "uv"
    (tmp_path / "Roaming" / "uv" / "data").mkdir(parents=True)
    assert user_places(environ, on).uv_data == tmp_path / "Roaming" / "uv" / "data"


@pytest.mark.parametrize(
    ("system", "names"),
    [
        (LINUX, {"HOME"}),
        (MACOS, {"HOME"}),
        (WINDOWS, {"HOME", "USERPROFILE", "HOMEDRIVE", "HOMEPATH", "APPDATA", "LOCALAPPDATA"}),
    ],
)
def test_a_new_home_is_named_by_every_variable(system: System, names: set[str]) -> None:
    """No program of that system looks into the user's own folder because of a variable that was left."""
    found = home_variables(Path("/made"), system)
    assert set(found) == names
    assert found.pop("HOMEDRIVE", "") == ""
    assert all(value.startswith(str(Path("/made"))) for value in found.values())
