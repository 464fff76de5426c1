"""Compare the public tags of images by digest: the commit's, the version's own, and the floating ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from unmoor.errors import Denied
from unmoor.images.image_plan import ImagePlan
from unmoor.images.tag_placement import TagPlacement, placements
from unmoor.ports.forge import Forge
from unmoor.ports.registry import Registry
from unmoor.products import PushedImage, Release
from unmoor.products.surface_state import Item, State, SurfaceState
from unmoor.util.values import replace


def compare_images(
    pushed: Sequence[PushedImage],
    registry: Registry,
    forge: Forge,
    *,
    plans: Sequence[ImagePlan] = (),
    release: Callable[[], Release] | None = None,
) -> SurfaceState:
    """Compare one registry with the digests that were pushed to it. Raises `Denied`, `Unknown` if it cannot be read.

    ``plans`` say which other tags the images get. ``release`` returns their release; it is called only if
    there are such tags.
    """
    public = not forge.repository().private
    here = [image for image in pushed if image.name == registry.name]
    items = [image_item(registry, image.tag, image.digest, public=public) for image in here]
    known = {(each.name, target.stage) for plan in plans for each in plan.registries for target in plan.targets}
    planned = [image for image in here if (image.name, image.target) in known]
    if planned and release is not None:
        released = release()
        for placement in placements(plans, released, planned):
            items += _placement_items(placement, released, public=public)
    return SurfaceState.of(registry.name, items, url=registry.page)


def image_item(registry: Registry, tag: str, digest: str, *, public: bool) -> Item:
    """Compare one tag of an image as the public sees it; a private package counts as incomplete."""
    try:
        there = registry.manifest(tag, anonymous=public)
    except Denied:
        if not public:
            raise
        note = f"private, so nobody can pull it; make it public at {registry.page}"
        return Item(name=tag, state=State.INCOMPLETE, expected=digest, seen=None, note=note)
    if there is None:
        return Item(name=tag, state=State.INCOMPLETE, expected=digest, seen=None, note="not there")
    if there.digest != digest:
        return Item(name=tag, state=State.CONFLICTING, expected=digest, seen=there.digest, note="another image")
    return Item(name=tag, state=State.COMPLETE, expected=digest, seen=digest)


def _placement_items(placement: TagPlacement, release: Release, *, public: bool) -> Iterator[Item]:
    """Compare the version's own tags, then the floating ones, by the rules of the stage that moves them."""
    of_commit, stays = placement.of_commit(release), _stays(placement, release)
    for tag in placement.tags.fixed:
        item = image_item(placement.registry, tag, placement.image.digest, public=public)
        if item.state is State.CONFLICTING and tag in of_commit:
            item = _elsewhere(item, "another release of the same commit has it")
        yield item
    for tag in placement.tags.floating:
        item = image_item(placement.registry, tag, placement.image.digest, public=public)
        if stays is not None:
            item = _floating(item, stays.get(tag, ""))
        elif item.seen is not None:
            item = replace(
                item, state=State.UNKNOWN, note="cannot determine without the list of tags which release it belongs to"
            )
        yield item


def _stays(placement: TagPlacement, release: Release) -> Mapping[str, str] | None:
    """Return why floating tags do not belong to this release; ``None`` if the list of tags is denied."""
    try:
        return placement.why_tags_stay(release)
    except Denied:
        return None


def _floating(item: Item, why: str) -> Item:
    """Judge a floating tag: rightly elsewhere, not moved to this release yet, or wrongly on this release."""
    if why and item.seen == item.expected:
        return replace(item, state=State.CONFLICTING, note=f"it points at this release, but should not: {why}")
    if why:
        return _elsewhere(item, why)
    if item.state is State.CONFLICTING:
        return replace(item, state=State.INCOMPLETE, note="still another image: not moved yet")
    return item


def _elsewhere(item: Item, why: str) -> Item:
    return replace(item, state=State.COMPLETE, expected="", note=why)
