"""What the servers of a world hold in the end, without times, numbers, addresses and the order of anything."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import msgspec
from packaging.utils import canonicalize_name

from unmoor.rehearsal.invariants.git_objects import branches
from unmoor.rehearsal.invariants.stores import (
    INDEX,
    STAGING,
    ForgePage,
    StoredImages,
    latest_page,
    read_images,
    read_index,
    read_pages,
)

REMOTE = "remote.git"
_ADDRESS = re.compile(r"127\.0\.0\.1:[0-9]+")
_OF_DIGEST = re.compile(r"sha256-[0-9a-f]{64}.*")


class PageState(msgspec.Struct, frozen=True, kw_only=True):
    """A release page. ``assets`` are the sha256 of what is whole, by name; empty for what is not."""

    draft: bool
    prerelease: bool
    target: str
    name: str
    body: str
    assets: Mapping[str, str]


class FinalState(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a world.

    ``indexes`` are the sha256 of files by index, project and name; ``pages`` every release page by its tag, drafts too;
    ``latest`` the tag of the latest. ``images`` are tags by host and name, each with the digests of the configurations
    of its images: a manifest of the same images may be written in several ways. Tags that name a digest are left out.
    ``branches`` are the trees of the remote's branches by name, such as that of a documentation site with its versions
    and its stable alias.
    """

    indexes: Mapping[str, Mapping[str, Mapping[str, str]]]
    pages: Mapping[str, tuple[PageState, ...]]
    latest: str
    images: Mapping[str, Mapping[str, tuple[str, ...]]]
    branches: Mapping[str, str] = msgspec.field(default_factory=dict)

    @classmethod
    def of(cls, world: Path) -> FinalState:
        """Read the state of a world. Raises `ValueError`, `OSError`."""
        pages = read_pages(world / "forge")
        latest = latest_page(pages)
        return cls(
            indexes={
                index: {
                    canonicalize_name(project.name): {file.name: file.digests.sha256 for file in project.files}
                    for project in read_index(world / index)
                }
                for index in (STAGING, INDEX)
            },
            pages={tag: _states(tag, pages) for tag in sorted({page.tag for page in pages})},
            latest=latest.tag if latest else "",
            images={str(image): _tags(image) for image in read_images(world)},
            branches=branches(world / REMOTE),
        )


def _states(tag: str, pages: tuple[ForgePage, ...]) -> tuple[PageState, ...]:
    own = sorted((page for page in pages if page.tag == tag), key=lambda page: (page.draft, page.id))
    return tuple(_state(page) for page in own)


def _state(page: ForgePage) -> PageState:
    return PageState(
        draft=page.draft,
        prerelease=page.prerelease,
        target=page.target,
        name=page.name or "",
        body=_ADDRESS.sub("127.0.0.1", page.body or ""),
        assets={asset.name: asset.digests.sha256 if asset.digests else "" for asset in page.assets},
    )


def _tags(image: StoredImages) -> Mapping[str, tuple[str, ...]]:
    plain = {tag: digest for tag, digest in image.tags.items() if not _OF_DIGEST.fullmatch(tag)}
    return {tag: tuple(sorted(config for config, _ in image.configs(digest))) for tag, digest in plain.items()}
