"""The registry as a container: the image ``registry``, where the machine has an engine and not the program.

The site's folder is mounted at its own path, so that it reads, writes and listens where the program
would: on a socket in that folder. It has no network. The run's reaper removes it when we are gone.
"""

from __future__ import annotations

import os
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from unmoor.adapters.engine.connection import Connection
from unmoor.adapters.process.reaper import LABEL
from unmoor.adapters.process.supervisor import Processes
from unmoor.errors import UnmoorError
from unmoor.rehearsal.registry.site import Site

IMAGES = ("registry:2", "registry:3", "registry:latest")
_PIDS = 256
_LINES = 20


@dataclass
class Containers:
    """The containers of registries, each made of one image."""

    image: str
    connection: Connection
    _kept: ExitStack = field(default_factory=ExitStack)
    _running: dict[Site, str] = field(default_factory=dict)

    @classmethod
    def found(cls) -> Containers | None:
        """An engine of this machine with such an image, ``None`` where there is none: nothing is pulled."""
        processes = Processes()
        connection = Connection(processes=processes)
        image = next((image for image in IMAGES if _has(connection, image) and _is_here(connection.address)), None)
        if image is None:
            processes.close()
            return None
        return cls(image, connection)

    def begin(self, site: Site) -> None:
        """Make one and start it. Raises `Unknown`."""
        if not self._running:
            self._kept.enter_context(self.connection.processes.containers(self.connection.address))
        made = self.connection.ask(lambda api: _made(api, self.image, site, self._run), what="the registry's container")
        self._running[site] = made
        self.connection.ask(lambda api: api.start(made), what="the registry's container")

    @property
    def _run(self) -> str:
        return self.connection.processes.run

    def ended(self, site: Site) -> bool:
        """Whether it has ended by itself; what it said is written down then."""
        container = self._running[site]
        told = self.connection.ask(lambda api: api.inspect_container(container), what="the registry's container")
        if told["State"]["Running"]:
            return False
        said = self.connection.ask(lambda api: api.logs(container, tail=_LINES), what="the registry's words")
        site.log.write_bytes(said)
        return True

    def stop(self) -> None:
        """Remove them all; what cannot be removed now is left to the reaper."""
        gone = [_is_gone(self.connection, container) for container in self._running.values()]
        self._running.clear()
        if all(gone):
            self._kept.close()
        self.connection.processes.close()


def _is_gone(connection: Connection, container: str) -> bool:
    """Remove a container, and say whether that went well."""
    with suppress(LookupError):
        try:
            connection.ask(
                lambda api: api.remove_container(container, force=True, v=True),
                what="the registry's container",
                stopping=True,
            )
        except UnmoorError:
            return False
    return True


def _has(connection: Connection, image: str) -> bool:
    """Whether an engine answers that holds an image."""
    try:
        connection.ask(lambda api: api.inspect_image(image), what=f"the image {image}")
    except (LookupError, UnmoorError):
        return False
    return True


def _is_here(address: str) -> bool:
    """Whether an engine sees this machine's files: another machine's has no such folder to mount."""
    place = urlsplit(address)
    return place.scheme == "unix" or place.hostname in {"127.0.0.1", "localhost", "::1"}


def _made(api: Any, image: str, site: Site, run: str) -> str:
    from docker.types import Mount

    folder = os.path.realpath(site.folder)
    rootless = any("rootless" in option for option in api.info().get("SecurityOptions") or ())
    limits = api.create_host_config(
        network_mode="none",
        read_only=True,
        cap_drop=["ALL"],
        pids_limit=_PIDS,
        # Without the label of SELinux it may read a folder that is no container's own.
        security_opt=["no-new-privileges", "label=disable"],
        mounts=[Mount(target=folder, source=folder, type="bind")],
    )
    made = api.create_container(
        image,
        ["serve", f"{folder}/config.yml"],
        working_dir=folder,
        # What it writes has to be ours: an engine without root takes its root for us already.
        user="" if rootless else f"{os.getuid()}:{os.getgid()}",
        host_config=limits,
        labels={LABEL: run},
        use_config_proxy=False,
    )
    return str(made["Id"])
