"""What is known about a wheel for its bill of materials: its metadata, what it needs, and what it brings along."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import msgspec
from packaging.utils import canonicalize_name

from unmoor.dists.inspect import read_dist_info, read_metadata
from unmoor.errors import CheckFailed
from unmoor.ports.resolver import InstallTarget, ResolvedPackage, Resolver
from unmoor.products import File
from unmoor.sbom.embedded import EmbeddedSbom, embedded_sboms
from unmoor.sbom.graph import PackageDetails, asks_for_more, describe
from unmoor.sbom.targets import environment_of
from unmoor.util.text import clean


class WheelContent(msgspec.Struct, frozen=True, kw_only=True):
    """A wheel, its dependencies by extra (empty: without any), and the bills of materials in it.

    ``unsolved`` says for an extra why nothing fits together. An extra that adds nothing is left out.
    """

    file: File
    name: str
    version: str
    target: InstallTarget
    described: PackageDetails
    resolved: Mapping[str, tuple[ResolvedPackage, ...]]
    unsolved: Mapping[str, str] = msgspec.field(default_factory=dict)
    embedded: tuple[EmbeddedSbom, ...] = ()


class Resolutions:
    """Resolves wheels on the threads of a pool, those with the same requirements for the same target only once."""

    def __init__(self, resolver: Resolver, pool: ThreadPoolExecutor) -> None:
        self._resolver = resolver
        self._pool = pool
        self._known: dict[tuple[object, ...], Future[tuple[ResolvedPackage, ...]]] = {}

    def begin(self, wheel: File, target: InstallTarget) -> None:
        """Begin to resolve a wheel. Raises `InvalidDist`."""
        described, name, _, extras = read_wheel(wheel.path)
        for extra in _asking(described, extras, target):
            self._resolve(wheel, described, name, extra, target)

    def content(self, wheel: File, target: InstallTarget) -> WheelContent:
        """Describe a wheel. Raises `InvalidDist`, and what `unmoor.ports.resolver.Resolver.resolve` raises.

        An extra without a solution is no error, since nobody has to ask for it.
        """
        described, name, version, extras = read_wheel(wheel.path)
        resolved: dict[str, tuple[ResolvedPackage, ...]] = {"": ()}
        unsolved: dict[str, str] = {}
        for extra in _asking(described, extras, target):
            try:
                resolved[extra] = self._resolve(wheel, described, name, extra, target).result()
            except CheckFailed as error:
                if not extra:
                    raise
                unsolved[extra] = clean(error.what.partition("\n")[0], 200)
        return WheelContent(
            file=wheel,
            name=name,
            version=version,
            target=target,
            described=described,
            resolved=resolved,
            unsolved=unsolved,
            embedded=embedded_sboms(wheel.path),
        )

    def _resolve(
        self, wheel: File, described: PackageDetails, name: str, extra: str, target: InstallTarget
    ) -> Future[tuple[ResolvedPackage, ...]]:
        key = (name, described.requires, extra, target)
        if key not in self._known:
            self._known[key] = self._pool.submit(
                self._resolver.resolve, wheel.path, name=name, extra=extra, target=target
            )
        return self._known[key]


def _asking(described: PackageDetails, extras: tuple[str, ...], target: InstallTarget) -> list[str]:
    """The extras that add anything, and first the empty one if anything is needed without."""
    environment = environment_of(target)
    return [extra for extra in ("", *extras) if asks_for_more(described.requires, extra, environment)]


def read_wheel(path: Path) -> tuple[PackageDetails, str, str, tuple[str, ...]]:
    """What the metadata of a wheel describes, its name, its version and its extras, sorted. Raises `InvalidDist`."""
    metadata = read_metadata(path)
    described = describe(read_dist_info(path, "METADATA")) or PackageDetails(requires=metadata.requires)
    extras = sorted({canonicalize_name(each) for each in metadata.extras})
    return described, metadata.name, metadata.version, tuple(extras)
