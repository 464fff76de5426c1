"""Run the registry as a container of the image ``registry``, for machines with an engine but without the program.

The site's folder is mounted at its own path, so the container reads, writes and listens (on a socket in that folder)
where the program would. It has no network. The run's reaper removes it when this process is gone.
"""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from unmoor.adapters.engine.connection import Connection
from unmoor.adapters.process.process_system import LABEL
from unmoor.adapters.process.supervisor import Processes
from unmoor.adapters.process.system import user_and_group
from unmoor.errors import UnmoorError
from unmoor.filesystem.files import write_atomic
from unmoor.rehearsal.registry.site import Site

IMAGES = ("registry:2", "registry:3", "registry:latest")
_PIDS = 256
_LINES = 20


@dataclass
class Containers:
    """The containers of registries, each made of one image."""

    image: str
    connection: Connection
    _cleanup: ExitStack = field(default_factory=ExitStack)
    _running: dict[Site, str] = field(default_factory=dict)

    @classmethod
    def find(cls) -> Containers | None:
        """Find an engine of this machine with such an image; ``None`` if there is none. Pulls nothing."""
        processes = Processes()
        connection = Connection(processes=processes)
        image = next((image for image in IMAGES if _has(connection, image)), None)
        if image is not None and not _is_here(connection):
            image = None
        if image is None:
            processes.close()
            return None
        return cls(image, connection)

    def begin(self, site: Site) -> None:
        """Create a container and start it. Raises `Unknown`."""
        if not self._running:
            self._cleanup.enter_context(self.connection.processes.containers(self.connection.address))
        container = self.connection.ask(
            lambda api: _create(api, self.image, site, self._run), what="the registry's container"
        )
        self._running[site] = container
        self.connection.ask(lambda api: api.start(container), what="the registry's container")

    @property
    def _run(self) -> str:
        return self.connection.processes.run

    def ended(self, site: Site) -> bool:
        """Whether the container has exited by itself; if so, write its log to the site's."""
        container = self._running[site]
        state = self.connection.ask(lambda api: api.inspect_container(container), what="the registry's container")
        if state["State"]["Running"]:
            return False
        log = self.connection.ask(lambda api: api.logs(container, tail=_LINES), what="the registry's log")
        write_atomic(site.log, log)
        return True

    def stop(self) -> None:
        """Remove all containers; the reaper removes those that cannot be removed now."""
        gone = [_remove(self.connection, container) for container in self._running.values()]
        self._running.clear()
        if all(gone):
            self._cleanup.close()
        self.connection.processes.close()


def _remove(connection: Connection, container: str) -> bool:
    """Remove a container. Return whether that succeeded."""
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
    """Whether an engine answers and has an image."""
    try:
        connection.ask(lambda api: api.inspect_image(image), what=f"the image {image}")
    except (LookupError, UnmoorError):
        return False
    return True


def _is_here(connection: Connection) -> bool:
    """Whether an engine runs on this machine, and can mount its folders with the sockets in them.

    One in a virtual machine, such as Docker Desktop's, also listens on a socket of this machine, but has another name.
    """
    parts = urlsplit(connection.address)
    if parts.scheme != "unix" and parts.hostname not in {"127.0.0.1", "localhost", "::1"}:
        return False
    try:
        facts = connection.read(lambda api: api.info(), what="the engine")
    except (LookupError, UnmoorError):
        return False
    return str(facts.get("Name")) == socket.gethostname()


def _create(api: Any, image: str, site: Site, run: str) -> str:
    from docker.types import Mount

    folder = os.path.realpath(site.folder)
    rootless = any("rootless" in option for option in api.info().get("SecurityOptions") or ())
    limits = api.create_host_config(
        network_mode="none",
        read_only=True,
        cap_drop=["ALL"],
        pids_limit=_PIDS,
        # Without SELinux labels it can read a folder that does not belong to a container.
        security_opt=["no-new-privileges", "label=disable"],
        mounts=[Mount(target=folder, source=folder, type="bind")],
    )
    container = api.create_container(
        image,
        ["serve", f"{folder}/config.yml"],
        working_dir=folder,
        # This user must own the files that it writes; a rootless engine maps root to this user.
        user="" if rootless else user_and_group(),
        host_config=limits,
        labels={LABEL: run},
        use_config_proxy=False,
    )
    return str(container["Id"])
