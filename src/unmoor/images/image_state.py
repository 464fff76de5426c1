"""The tags of images as everybody sees them, compared by digest: the commit's, the version's own, the floating ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from unmoor.artifacts.manifest import Manifest
from unmoor.errors import Denied
from unmoor.images.image_plan import ImagePlan
from unmoor.images.tag_placement import TagPlacement, placements
from unmoor.ports.forge import Forge
from unmoor.ports.registry import Registry
from unmoor.products import Release
from unmoor.products.surface_state import Item, State, SurfaceState


def compare_images(
    manifest: Manifest,
    registry: Registry,
    forge: Forge,
    *,
    lines: Sequence[ImagePlan] = (),
    release: Callable[[], Release] | None = None,
) -> SurfaceState:
    """Compare one registry with the digests that were pushed. Raises `Denied`, `Unknown` where it cannot be read.

    ``lines`` say under which other tags the images belong, and ``release`` whose they are, asked
    only where there are any.
    """
    public = not forge.repository().private
    pushed = [image for image in manifest.pushed if image.name == registry.name]
    items = [image_item(registry, image.tag, image.digest, public=public) for image in pushed]
    known = {(each.name, target.stage) for line in lines for each in line.registries for target in line.targets}
    planned = [image for image in pushed if (image.name, image.target) in known]
    if planned and release is not None:
        told = release()
        for spot in placements(lines, told, planned):
            items += _spot_items(spot, told, public=public)
    return SurfaceState.of(registry.name, items, url=registry.page)


def image_item(registry: Registry, tag: str, digest: str, *, public: bool) -> Item:
    """One tag of an image as everybody sees it; a package that only its owner sees is incomplete, not there."""
    try:
        there = registry.manifest(tag, anonymous=public)
    except Denied:
        if not public:
            raise
        note = f"private: nobody can pull it; make it public at {registry.page}"
        return Item(name=tag, state=State.INCOMPLETE, expected=digest, seen=None, note=note)
    if there is None:
        return Item(name=tag, state=State.INCOMPLETE, expected=digest, seen=None, note="not there")
    if there.digest != digest:
        return Item(name=tag, state=State.CONFLICTING, expected=digest, seen=there.digest, note="another image")
    return Item(name=tag, state=State.COMPLETE, expected=digest, seen=digest)


def _spot_items(spot: TagPlacement, release: Release, *, public: bool) -> Iterator[Item]:
    """The version's own tags, then the floating ones, each judged as the stage that moves them does."""
    alone, stays = spot.alone(release), _stays(spot, release)
    for tag in spot.tags.fixed:
        item = image_item(spot.registry, tag, spot.image.digest, public=public)
        if item.state is State.CONFLICTING and tag in alone:
            item = _elsewhere(item, "another release of the same commit has it")
        yield item
    for tag in spot.tags.floating:
        item = image_item(spot.registry, tag, spot.image.digest, public=public)
        if stays is not None:
            item = _floating(item, stays.get(tag, ""))
        elif item.seen is not None:
            item = replace(
                item, state=State.UNKNOWN, note="whose it rightly is cannot be told without the list of tags"
            )
        yield item


def _stays(spot: TagPlacement, release: Release) -> Mapping[str, str] | None:
    """Why floating tags are not this release's, ``None`` where the list of tags is not for us."""
    try:
        return spot.stays(release)
    except Denied:
        return None


def _floating(item: Item, why: str) -> Item:
    """A floating tag: elsewhere by right, this release's and not moved yet, or where it should not be."""
    if why and item.seen == item.expected:
        return replace(item, state=State.CONFLICTING, note=f"it is this release's, and should not be: {why}")
    if why:
        return _elsewhere(item, why)
    if item.state is State.CONFLICTING:
        return replace(item, state=State.INCOMPLETE, note="still another image: not moved yet")
    return item


def _elsewhere(item: Item, why: str) -> Item:
    return replace(item, state=State.COMPLETE, expected="", note=why)
