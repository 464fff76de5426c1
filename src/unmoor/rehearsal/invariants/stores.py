"""The stores of a world's servers, read as files: their own shapes, written down here a second time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from unmoor.filesystem.files import read_regular
from unmoor.util.decode import decode_json

INDEX, STAGING = "pypi", "testpypi"
_LIMIT = 64 << 20

T = TypeVar("T")


class FileDigests(msgspec.Struct, frozen=True, kw_only=True):
    """What a server noted of a file when it came in."""

    sha256: str
    blake2: str
    size: int


class IndexFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file on an index."""

    name: str
    version: str
    digests: FileDigests

    @property
    def path(self) -> str:
        """The path of its bytes below the index's folder."""
        blake2 = self.digests.blake2
        return f"files/{blake2[:2]}/{blake2[2:4]}/{blake2[4:]}/{self.name}"


class IndexProject(msgspec.Struct, frozen=True, kw_only=True):
    """A project on an index."""

    name: str
    files: tuple[IndexFile, ...] = ()


class ForgeAsset(msgspec.Struct, frozen=True, kw_only=True):
    """An asset of a release page; without digests its upload was interrupted."""

    id: int
    name: str
    state: str
    digests: FileDigests | None = None


class ForgePage(msgspec.Struct, frozen=True, kw_only=True):
    """A release page. ``mark`` is the number of the last time it was made the latest; 0 means never."""

    id: int
    tag: str
    target: str
    name: str | None
    body: str | None
    draft: bool
    prerelease: bool
    mark: int = 0
    assets: tuple[ForgeAsset, ...] = ()


class _ForgeState(msgspec.Struct, frozen=True, kw_only=True):
    releases: tuple[ForgePage, ...] = ()


def read_index(folder: Path) -> tuple[IndexProject, ...]:
    """Read every project of an index. Raises `ValueError`, `OSError`."""
    return tuple(_read(path, IndexProject) for path in sorted((folder / "projects").glob("*.json")))


def read_pages(folder: Path) -> tuple[ForgePage, ...]:
    """Read every release page of the forge, drafts too. Raises `ValueError`, `OSError`."""
    path = folder / "state.json"
    return _read(path, _ForgeState).releases if path.exists() else ()


def latest_page(pages: tuple[ForgePage, ...]) -> ForgePage | None:
    """The page that the forge shows as the latest; ``None`` if there is none."""
    marked = [page for page in pages if page.mark and not page.draft and not page.prerelease]
    return max(marked, key=lambda page: page.mark, default=None)


class _Link(msgspec.Struct, frozen=True, kw_only=True):
    digest: str


class _Manifest(msgspec.Struct, frozen=True, kw_only=True):
    config: _Link | None = None
    manifests: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class StoredImages:
    """The images of one name in the storage of a registry."""

    host: str
    name: str
    folder: Path
    """The folder ``docker/registry/v2`` of the storage."""

    def __str__(self) -> str:
        return f"{self.host}/{self.name}"

    @cached_property
    def tags(self) -> Mapping[str, str]:
        """The digest of each tag."""
        links = sorted(self._tags.glob("*/current/link"))
        return {path.parts[-3]: read_regular(path, 200).decode().strip() for path in links}

    def history(self, tag: str) -> tuple[str, ...]:
        """Every digest that a tag has ever had, in no order."""
        return tuple(f"sha256:{path.name}" for path in sorted((self._tags / tag / "index" / "sha256").glob("*")))

    @property
    def _tags(self) -> Path:
        return self.folder / "repositories" / self.name / "_manifests" / "tags"

    def configs(self, digest: str) -> tuple[tuple[str, Mapping[str, str]], ...]:
        """The configuration of each image behind a manifest, by digest, with its labels. Raises `ValueError`.

        What is not an image, such as an attestation, is left out.
        """
        manifest = decode_json(self.blob(digest), _Manifest)
        if manifest.config is None:
            real = [each for each in manifest.manifests if (each.get("platform") or {}).get("os") != "unknown"]
            return tuple(config for each in real for config in self.configs(str(each["digest"])))
        document = decode_json(self.blob(manifest.config.digest), dict[str, Any])
        labels = (document.get("config") or {}).get("Labels") or {}
        return ((manifest.config.digest, {str(key): str(value) for key, value in labels.items()}),)

    def blob(self, digest: str) -> bytes:
        """Read a blob. Raises `OSError`."""
        kind, _, text = digest.partition(":")
        return read_regular(self.folder / "blobs" / kind / text[:2] / text / "data", _LIMIT)


def read_images(world: Path) -> tuple[StoredImages, ...]:
    """Find every image in every registry of a world."""
    found = []
    for site in sorted((world / "registry").glob("*")):
        folder = site / "storage" / "docker" / "registry" / "v2"
        for path in sorted((folder / "repositories").rglob("_manifests")):
            name = path.parent.relative_to(folder / "repositories").as_posix()
            found.append(StoredImages(site.name, name, folder))
    return tuple(found)


def _read(path: Path, kind: type[T]) -> T:
    return decode_json(read_regular(path, _LIMIT), kind)
