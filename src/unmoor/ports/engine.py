"""A container engine: builds, inspects, runs, pushes and pulls images on this machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from unmoor.ports.shell import Ran
from unmoor.ports.world import Login
from unmoor.util.secret import Secret


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """One build: a stage (``target``) of a Dockerfile for one platform (``linux/amd64``).

    ``context`` is a folder, ``dockerfile`` a path inside it. ``args`` are public; ``secrets`` reach the
    build only as BuildKit secrets. ``tag`` is the local name of the image.
    """

    context: Path
    dockerfile: str
    target: str
    platform: str
    tag: str
    args: Mapping[str, str] = msgspec.field(default_factory=dict)
    labels: Mapping[str, str] = msgspec.field(default_factory=dict)
    secrets: Mapping[str, Secret] = msgspec.field(default_factory=dict)
    cache_from: tuple[str, ...] = ()
    cache_to: tuple[str, ...] = ()


class EngineFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The engine: its version, the platforms it builds for, and its builder.

    ``builder`` is ``buildx``, ``buildkit``, ``podman`` or ``legacy``.
    """

    version: str
    builder: str
    platforms: tuple[str, ...]


class ImageFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine knows of one image; ``size`` is in bytes.

    ``id`` is the engine's name of it: the ``sha256:…`` of its configuration or, in containerd's image store, of its
    manifest (an index, if it has attestations).
    """

    id: str
    size: int
    platform: str
    user: str
    labels: Mapping[str, str]
    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    env: tuple[str, ...]
    history: tuple[str, ...]


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """One file in one layer of an image: the layer's position from 0, the path without leading slash, the size.

    ``holds`` names content that does not belong in an image (``private key``); usually empty.
    """

    layer: int
    path: str
    size: int
    holds: str = ""


class Engine(Protocol):
    """One engine. Everything it starts ends with the run."""

    def facts(self) -> EngineFacts:
        """Describe the engine. Raises `ToolMissing` if there is none, with how to get one."""

    def build(self, recipe: Recipe, *, hear: Callable[[str], None] | None = None) -> str:
        """Build an image and return its id (``sha256:…``). Raises `BuildFailed` with file and line."""

    def inspect(self, image: str) -> ImageFacts:
        """Describe an image, by id or local name. Raises `Incomplete` if there is none."""

    def look(self, image: str) -> ImageFacts | None:
        """Like `inspect`, but ``None`` if the engine has no such image."""

    def contents(self, images: Sequence[str]) -> Mapping[str, tuple[Member, ...]]:
        """List every file in every layer of some images (by id), including files that a later layer removes.

        Layers that images share are read once. Raises `Incomplete`, `InvalidDist` beyond limits, `Unknown`.
        """

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
        """Run a container without network until it ends, and remove it.

        ``entrypoint`` replaces the image's own; empty means none. ``memory`` and the output ``limit`` are in
        bytes, ``timeout`` is in seconds. Raises `TimedOut` if it runs too long or prints too much, `Interrupted`.
        """

    def push(self, image: str, name: str, *, login: Login, hear: Callable[[str], None] | None = None) -> str:
        """Push under a full name (``host:port/owner/name:tag``) and return the digest of the manifest.

        Reads every line of the answer: a failed push answers 200. Raises `Denied`, `Rejected`, `Unknown`.
        """

    def pull(self, name: str, *, login: Login | None, platform: str = "") -> str:
        """Pull ``host/owner/name@sha256:…`` and return the image's id: see `ImageFacts`. ``login=None``: anonymously.

        Raises `Incomplete` if the registry does not hold it, `Denied`, `Unknown`.
        """

    def save(self, names: Sequence[str], into: Path) -> None:
        """Write images, by local name, to one archive, atomically. Raises `Incomplete`, `Unknown`."""

    def load(self, archive: Path) -> None:
        """Load the images of an archive under their local names. Raises `Unknown`."""

    def remove(self, names: Sequence[str]) -> None:
        """Remove local names. A missing one is no error."""

    def forget(self, prefix: str) -> None:
        """Remove every local name below ``prefix/``, also while the run is being stopped.

        The names that such an image has on loopback registries go too; any other name stays, and so does
        the builder's cache. Raises `ToolMissing`, `Unknown`.
        """
