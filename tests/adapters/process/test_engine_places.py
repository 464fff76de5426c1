"""Tests of the addresses at which engines usually listen, by system."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from unmoor.adapters.process.engine_places import plugin_folders, usual_addresses
from unmoor.ports.system import LINUX, MACOS, WINDOWS, System

DEFAULT = "unix:///var/run/docker.sock"
USER = {"HOME": "/home/me", "XDG_RUNTIME_DIR": "/run/user/1000"}
MAC = {"HOME": "/Users/me", "TMPDIR": "/var/folders/ab/c/T/"}


@pytest.mark.parametrize(
    ("system", "environ", "address"),
    [
        (LINUX, USER, "unix:///run/user/1000/docker.sock"),
        (LINUX, USER, "unix:///home/me/.docker/desktop/docker.sock"),
        (LINUX, USER, "unix:///run/user/1000/podman/podman.sock"),
        (LINUX, USER, "unix:///run/user/1000/podman/podman-machine-default-api.sock"),
        (LINUX, {}, "unix:///run/podman/podman.sock"),
        (LINUX, USER, "unix:///home/me/.colima/default/docker.sock"),
        (LINUX, USER, "unix:///home/me/.rd/docker.sock"),
        (MACOS, MAC, "unix:///Users/me/.docker/run/docker.sock"),
        (MACOS, MAC, "unix:///Users/me/.orbstack/run/docker.sock"),
        (MACOS, MAC, "unix:///var/folders/ab/c/T/podman/podman-machine-default-api.sock"),
        (MACOS, MAC, "unix:///Users/me/.local/share/containers/podman/machine/podman.sock"),
        (MACOS, {"COLIMA_HOME": "/Volumes/c"}, "unix:///Volumes/c/default/docker.sock"),
        (WINDOWS, {}, "npipe:////./pipe/dockerDesktopLinuxEngine"),
        (WINDOWS, {"HOME": "C:/Users/me"}, "npipe:////./pipe/podman-machine-default"),
    ],
)
def test_where_engines_listen(system: System, environ: Mapping[str, str], address: str) -> None:
    """Each engine of each system has its usual place, after the default of docker's client."""
    found = usual_addresses(environ, system=system)

    assert found[0] == ("npipe:////./pipe/docker_engine" if system == WINDOWS else DEFAULT)
    assert address in found[1:]
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("system", [LINUX, MACOS])
@pytest.mark.parametrize("folder", ["", "relative", "~", r"C:\Users\me"])
def test_a_folder_that_is_no_absolute_path_gives_no_address(system: System, folder: str) -> None:
    """A variable that is empty or broken names no socket, neither in the working folder nor at the root."""
    broken = dict.fromkeys(("HOME", "XDG_RUNTIME_DIR", "TMPDIR", "COLIMA_HOME"), folder)

    assert usual_addresses(broken, system=system) == usual_addresses({}, system=system)


@pytest.mark.parametrize(
    ("environ", "first"),
    [
        ({"HOME": "/home/me"}, ["/home/me/.docker"]),
        ({"HOME": "/home/me", "DOCKER_CONFIG": "/etc/me"}, ["/etc/me", "/home/me/.docker"]),
        ({}, []),
    ],
)
def test_the_users_own_plugins_come_first(environ: Mapping[str, str], first: list[str]) -> None:
    """The folders of root come after those of the user."""
    folders = plugin_folders(environ)

    assert list(folders[: len(first)]) == first
    assert "/usr/libexec/docker" in folders[len(first) :]
