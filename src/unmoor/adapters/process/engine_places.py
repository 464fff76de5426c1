"""Where container engines listen, and where docker keeps its plugins, on each system.

Sources: the documentation of Docker Desktop, of Docker's rootless mode, of podman (podman-system-service(1), and
``pkg/machine`` of its source), Colima, OrbStack and Rancher Desktop.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from unmoor.adapters.process.system import this_system
from unmoor.ports.system import MACOS, WINDOWS, System

_SOCKET: Final = "unix:///var/run/docker.sock"
# Named pipes: Docker's service, Docker Desktop, and podman's machine.
_PIPES: Final = ("docker_engine", "dockerDesktopLinuxEngine", "podman-machine-default")
_PODMAN: Final = "podman/podman.sock"
_PODMAN_MACHINE: Final = "podman/podman-machine-default-api.sock"
_COLIMA: Final = "default/docker.sock"
_BY_ROOT: Final = ("/usr/local/lib/docker", "/usr/local/libexec/docker", "/usr/lib/docker", "/usr/libexec/docker")


def usual_addresses(environ: Mapping[str, str], *, system: System | None = None) -> tuple[str, ...]:
    """Return the addresses at which engines listen by default, docker's own first.

    The others are for engines that run without root or in a virtual machine, and that no context of docker names.
    """
    system = system or this_system()
    if system == WINDOWS:
        return tuple(f"npipe:////./pipe/{name}" for name in _PIPES)
    files = _of_a_mac(environ) if system == MACOS else _of_linux(environ)
    return tuple(dict.fromkeys((_SOCKET, *(f"unix://{path}" for path in files))))


def _of_linux(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the sockets of Docker without root, of Docker Desktop, of podman, and of machines."""
    yield from _below(environ.get("XDG_RUNTIME_DIR"), "docker.sock")
    yield from _below(environ.get("HOME"), ".docker/run/docker.sock", ".docker/desktop/docker.sock")
    yield from _below("/run", _PODMAN)
    yield from _below(environ.get("XDG_RUNTIME_DIR"), _PODMAN, _PODMAN_MACHINE)
    yield from _of_machines(environ)


def _of_a_mac(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the sockets of Docker Desktop, of podman's machine, and of other machines."""
    yield from _below(environ.get("HOME"), ".docker/run/docker.sock", ".orbstack/run/docker.sock")
    yield from _below(environ.get("TMPDIR"), _PODMAN_MACHINE)
    yield from _below(environ.get("HOME"), ".local/share/containers/podman/machine/podman.sock")
    yield from _of_machines(environ)


def _of_machines(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the sockets of Colima and of Rancher Desktop, which lie in the same places on Linux and macOS."""
    yield from _below(environ.get("COLIMA_HOME"), _COLIMA)
    yield from _below(environ.get("HOME"), f".colima/{_COLIMA}", ".rd/docker.sock")


def _below(folder: str | None, *paths: str) -> Iterable[str]:
    """Return paths below a folder, none if the folder is not absolute: an address has an absolute path."""
    return (f"{folder.rstrip('/')}/{path}" for path in paths) if folder and folder.startswith("/") else ()


def plugin_folders(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the folders that have a folder of docker's plugins, ``cli-plugins``, the user's own first."""
    home = f"{environ['HOME']}/.docker" if "HOME" in environ else None
    return tuple(filter(None, (environ.get("DOCKER_CONFIG"), home, *_BY_ROOT)))
