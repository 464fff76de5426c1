"""A container engine: builds, looks into, runs, pushes and pulls images on this machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from unmoor.ports.shell import Ran
from unmoor.ports.world import Login
from unmoor.util.secret import Secret


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One build: a stage (``target``) of a Dockerfile for one platform (``linux/amd64``).

    ``context`` is a folder, ``dockerfile`` a path inside it. ``args`` are public. ``secrets`` reach
    the build as BuildKit secrets alone. ``tag`` is the local name that the image gets.
    """

    context: Path
    dockerfile: str
    target: str
    platform: str
    tag: str
    args: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    cache_from: tuple[str, ...] = ()
    cache_to: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class EngineFacts:
    """What the engine is: its version, for which platforms it builds, and what builds.

    ``builder`` is ``buildx``, ``buildkit``, ``podman`` or ``legacy``.
    """

    version: str
    builder: str
    platforms: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ImageFacts:
    """What the engine says of one image; ``id`` is ``sha256:…`` of its configuration, ``size`` in bytes."""

    id: str
    size: int
    platform: str
    user: str
    labels: Mapping[str, str]
    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    env: tuple[str, ...]
    history: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Member:
    """One file in one layer of an image: the layer's position from 0, its path without leading slash, its size.

    ``holds`` says what was seen in it that has no business in an image (``private key``), as a rule nothing.
    """

    layer: int
    path: str
    size: int
    holds: str = ""


class Engine(Protocol):
    """One engine. Everything it starts ends with the run."""

    def facts(self) -> EngineFacts:
        """Say what the engine is. Raises `ToolMissing` where there is none, naming how to get one."""

    def build(self, recipe: Recipe, *, hear: Callable[[str], None] | None = None) -> str:
        """Build and return the image's id (``sha256:…``). Raises `BuildFailed` naming file and line."""

    def inspect(self, image: str) -> ImageFacts:
        """Say what an image is; ``image`` is an id or a local name. Raises `Incomplete` where there is none."""

    def look(self, image: str) -> ImageFacts | None:
        """As `inspect`, ``None`` where the engine has no such image."""

    def contents(self, images: Sequence[str]) -> Mapping[str, tuple[Member, ...]]:
        """Every file of every layer of some images (by id), as it lies there; a removed file is still told.

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
        """Run a container to its end and remove it, without network.

        ``entrypoint`` replaces the image's own, empty for none. Memory and output limits in bytes.
        Raises `TimedOut` for one that runs or prints too long, `Interrupted`.
        """

    def push(self, image: str, name: str, *, login: Login, hear: Callable[[str], None] | None = None) -> str:
        """Push under a full name (``host:port/owner/name:tag``) and return the manifest's digest that was pushed.

        Every line of the answer is read: a failed push answers 200. Raises `Denied`, `Rejected`, `Unknown`.
        """

    def pull(self, name: str, *, login: Login | None, platform: str = "") -> str:
        """Pull ``host/owner/name@sha256:…`` and return the image's id. ``None`` pulls without credentials.

        Raises `Incomplete` where the registry does not hold it, `Denied`, `Unknown`.
        """

    def save(self, names: Sequence[str], into: Path) -> None:
        """Write images, by their local names, to one archive, whole or not at all. Raises `Incomplete`, `Unknown`."""

    def load(self, archive: Path) -> None:
        """Take the images of an archive in, under their local names. Raises `Unknown`."""

    def remove(self, names: Sequence[str]) -> None:
        """Remove local names; what is not there is no trouble."""

    def forget(self, prefix: str) -> None:
        """Remove every image with a local name below ``prefix/``, also while the run is being stopped.

        With it goes what the image is called on registries of this machine's loopback; an image that
        has any other name keeps that. The builder's cache stays. Raises `ToolMissing`, `Unknown`.
        """
