"""A Docker engine, or podman through Docker's API.

Each call imports what it needs, since projects without images use no engine.
"""

from __future__ import annotations

import contextlib
import math
import os
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unmoor import advice
from unmoor.adapters.process.supervisor import Processes
from unmoor.adapters.process.system import this_system
from unmoor.errors import Cause, Incomplete, ToolMissing, Unknown
from unmoor.filesystem.files import atomic_writer
from unmoor.filesystem.safe_folder import open_regular
from unmoor.ports.engine import EngineFacts, ImageFacts, Member, Recipe
from unmoor.ports.poll import program_time
from unmoor.ports.shell import Ran, Shell
from unmoor.ports.system import System
from unmoor.ports.world import Login
from unmoor.util.text import clean

if TYPE_CHECKING:
    from unmoor.adapters.engine.building import Builder, Building
    from unmoor.adapters.engine.connection import Connection

_HISTORY = 2_000
_CHUNK = 1_048_576


@dataclass(frozen=True, kw_only=True)
class DockerEngine:
    """Implements `unmoor.ports.engine.Engine`. Connects on first use; time-outs are in seconds.

    ``patience`` is the most seconds to wait for a registry, besides the engine's own work.

    On a system on which no images are released, every method raises `ToolMissing`, and no engine is looked for.
    """

    shell: Shell
    processes: Processes
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    system: System = field(default_factory=this_system)
    build_timeout: float = 3600.0
    transfer_timeout: float = 1800.0
    save_timeout: float = 600.0
    patience: float = math.inf
    _connections: list[Connection] = field(default_factory=list, repr=False, compare=False)
    _builders: list[Builder] = field(default_factory=list, repr=False, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    @property
    def connection(self) -> Connection:
        """The connection, which everything that talks to this engine shares. Raises `ToolMissing`."""
        if self.system.why_no_images:
            raise ToolMissing(
                self.system.why_no_images, next_step=advice.RELEASE_IMAGES_ON_LINUX().then(advice.LEAVE_OUT_IMAGES())
            )
        from unmoor.adapters.engine.connection import Connection

        with self._lock:
            if not self._connections:
                self._connections.append(Connection(processes=self.processes, environ=self.environ))
            return self._connections[0]

    @property
    def _transfer_time(self) -> float:
        return program_time(self.transfer_timeout, self.patience)

    @property
    def _building(self) -> Building:
        from unmoor.adapters.engine.building import Building

        return Building(connection=self.connection, shell=self.shell, timeout=self.build_timeout)

    def _builder(self) -> Builder:
        building = self._building
        with self._lock:
            if not self._builders:
                self._builders.append(building.builder())
            return self._builders[0]

    def facts(self) -> EngineFacts:
        """Describe the engine. Raises `ToolMissing` if there is none, with how to get one."""
        self.connection.api()
        from unmoor.adapters.engine.building import facts  # only an engine that answers needs it

        return facts(self.connection, self._building, self._builder())

    def build(self, recipe: Recipe, *, hear: Callable[[str], None] | None = None) -> str:
        """Build and return the image's id (``sha256:…``). Raises `BuildFailed` naming file and line."""
        self.connection.api()
        reported = self._building.build(recipe, self._builder(), hear)
        # Some stores name an image by its manifest. All later calls need the engine's own name.
        image = self.look(reported) or self.inspect(recipe.tag)
        return image.id

    def inspect(self, image: str) -> ImageFacts:
        """Describe an image. Raises `Incomplete` if there is none, `Unknown`."""
        found = self.look(image)
        if found is None:
            raise Incomplete(f"the engine has no image {image}: the next run builds it again")
        return found

    def look(self, image: str) -> ImageFacts | None:
        """Describe an image, ``None`` if the engine does not have it. Raises `Unknown`."""
        what = f"the image {image}"
        try:
            document = self.connection.read(lambda api: api.inspect_image(image), what=what)
            history = self.connection.read(lambda api: api.history(image), what=what)
        except LookupError:
            return None
        return _facts(document, history)

    def _archive(self, names: Sequence[str]) -> Generator[bytes, None, None]:
        def save(api: Any) -> Iterator[bytes]:
            # The SDK's `get_image` accepts only one image.
            address = f"{api.base_url}/v{api.api_version}/images/get"
            answer = api.get(address, params={"names": list(names)}, stream=True, timeout=self.save_timeout)
            api._raise_for_status(answer)  # noqa: SLF001  # raises the SDK's errors
            return iter(answer.iter_content(_CHUNK))

        return self.connection.follow(save, what="the layers of the images", timeout=self.save_timeout)

    def save(self, names: Sequence[str], into: Path) -> None:
        """Write images to one archive; see `unmoor.ports.engine.Engine`."""
        try:
            with atomic_writer(into) as stream, contextlib.closing(self._archive(names)) as chunks:
                stream.writelines(chunks)
        except LookupError as error:
            raise Incomplete(f"the engine has no such image: {error}") from error

    def load(self, archive: Path) -> None:
        """Load the images of an archive; see `unmoor.ports.engine.Engine`."""

        def load(api: Any) -> Iterator[object]:
            with open_regular(archive) as stream:
                yield from api.load_image(stream)

        try:
            with contextlib.closing(
                self.connection.follow(load, what="the archive of the images", timeout=self.save_timeout)
            ) as lines:
                for line in lines:
                    if isinstance(line, dict) and line.get("error"):
                        raise _not_loaded(clean(str(line["error"])), archive)
        except LookupError as error:
            raise _not_loaded(str(error), archive) from error

    def contents(self, images: Sequence[str]) -> Mapping[str, tuple[Member, ...]]:
        """Every file of every layer of some images, by id. Raises `Incomplete`, `InvalidDist`, `Unknown`."""
        from unmoor.adapters.engine.layers import contents_of

        ids = list(dict.fromkeys(images))
        try:
            with contextlib.closing(self._archive(ids)) as chunks:
                found = contents_of(chunks)
        except (LookupError, Unknown) as error:
            # Some engines answer 500 for an image that they do not have.
            for image in ids:
                self.inspect(image)
            if isinstance(error, Unknown):
                raise
            raise Unknown(str(error), otherwise=advice.CHECK_ENGINE_LOG()) from error
        # Containerd's image store names an image by its manifest, and the archive lists its configuration.
        if len(ids) == 1 and len(found) == 1:
            return dict(zip(ids, found.values(), strict=True))
        missing = [image for image in ids if image not in found]
        if missing and len(ids) == 1:
            raise Unknown(f"the engine returned no layers of {missing[0]}", otherwise=advice.CHECK_DOCKER_SAVE())
        for image in missing:
            found = {**found, **self.contents([image])}
        return {image: found[image] for image in ids}

    def run(
        self,
        image: str,
        command: Sequence[str],
        *,
        entrypoint: str | None = None,
        timeout: float = 60.0,
        memory: int = 512_000_000,
        limit: int = 1_000_000,
    ) -> Ran:
        """Run a container to its end and remove it, without network. Raises `TimedOut`, `Interrupted`, `Unknown`."""
        from unmoor.adapters.engine import running

        job = running.Job(
            image=image, command=tuple(command), entrypoint=entrypoint, timeout=timeout, memory=memory, limit=limit
        )
        return running.run(self.connection, job)

    def push(self, image: str, name: str, *, login: Login, hear: Callable[[str], None] | None = None) -> str:
        """Push under a full name and return the manifest's digest. Raises `Denied`, `Rejected`, `Unknown`."""
        from unmoor.adapters.engine import transfer

        repository, _, tag = name.rpartition(":")
        try:
            self.connection.ask(lambda api: api.tag(image, repository, tag), what=f"the name {name}")
        except LookupError as error:
            raise Incomplete(f"the engine has no image {image}: the next run builds it again") from error
        try:
            return transfer.push(self.connection, name, login, hear, self._transfer_time)
        finally:
            self._unname(image, name)

    def _unname(self, image: str, name: str) -> None:
        """Remove a name, unless it is the image's last one: the engine deletes an image without a name.

        Does so even while the run is being stopped.
        """
        ask = partial(self.connection.ask, what=f"the name {name}", stopping=True)
        with contextlib.suppress(LookupError):
            document = ask(lambda api: api.inspect_image(image))
            if len(document.get("RepoTags") or ()) > 1:
                ask(partial(_remove, name=name))

    def pull(self, name: str, *, login: Login | None, platform: str = "") -> str:
        """Pull by digest and return the image's id, in a second try if one breaks off.

        Raises `Incomplete`, `Denied`, `Unknown`.
        """
        from unmoor.adapters.engine import transfer

        try:
            transfer.pull(self.connection, name, login, platform, self._transfer_time)
        except Unknown as error:
            if error.cause is not Cause.LOST:
                raise
            transfer.pull(self.connection, name, login, platform, self._transfer_time)
        return self.inspect(name).id

    def remove(self, names: Sequence[str]) -> None:
        """Remove local names. Missing ones are fine. Raises `Unknown`."""
        for name in names:
            with contextlib.suppress(LookupError):
                self.connection.ask(partial(_remove, name=name), what=f"the name {name}")

    def forget(self, prefix: str) -> None:
        """Remove the images with local names below a prefix. Raises `ToolMissing`, `Unknown`."""
        from unmoor.adapters.engine.remove import forget

        forget(self.connection, prefix)


def _remove(api: Any, name: str) -> None:
    api.remove_image(name)


def _facts(document: Mapping[str, Any], history: Sequence[Mapping[str, Any]]) -> ImageFacts:
    config: Mapping[str, Any] = document.get("Config") or {}
    platform = "/".join(filter(None, (document.get("Os"), document.get("Architecture"), document.get("Variant"))))
    return ImageFacts(
        id=str(document["Id"]),
        size=int(document.get("Size", 0)),
        platform=platform,
        user=str(config.get("User") or ""),
        labels=dict(config.get("Labels") or {}),
        entrypoint=tuple(config.get("Entrypoint") or ()),
        command=tuple(config.get("Cmd") or ()),
        env=tuple(config.get("Env") or ()),
        history=tuple(str(layer.get("CreatedBy", "")) for layer in history[:_HISTORY]),
    )


def _not_loaded(reason: str, archive: Path) -> Unknown:
    return Unknown(reason, where=str(archive), otherwise=advice.CHECK_ENGINE_LOG())
