"""Decide from the inventory what can go, what has to stay so that the release can be finished, and what stays for good.

Once the index holds some of the files, the release can only be finished with the rest of the same build. The draft
and the images are then the only copy that another machine can get, so they stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum

import msgspec

from unmoor.artifacts import oci
from unmoor.errors import Denied, Internal, Interrupted, Unknown, UnmoorError
from unmoor.images.held_images import HeldImages, tags_beside
from unmoor.images.image_plan import ImagePlan, registries
from unmoor.ports.registry import Packages, Registry
from unmoor.products import (
    Draft,
    MovedTag,
    MovedTags,
    PublishedRelease,
    Pushed,
    PushedImage,
    Release,
    Subject,
    Uploaded,
)
from unmoor.publish.inventory import Extent, IndexContent, Inventory
from unmoor.publish.move_back import plan_move_back
from unmoor.publish.tag_positions import TagPositions
from unmoor.util.text import clean, count_of
from unmoor.util.values import replace

_STAGED = (
    "nobody installs from it, and the file names can never be used again there; if a later build of this version has"
    " other bytes, leave the staging index out: --skip testpypi"
)


class Fate(StrEnum):
    """What becomes of something that a release left on a surface.

    ``needed``: it stays, so that the release can be finished. ``permanent``: nothing can remove it. ``left``: unmoor
    cannot remove it, but a person can. ``unknown``: it cannot be determined what is there.
    """

    GOES = "goes"
    NEEDED = "needed"
    PERMANENT = "permanent"
    LEFT = "left"
    UNKNOWN = "unknown"


class UndoItem(msgspec.Struct, frozen=True, kw_only=True):
    """Something on a surface: the stage that put it there, what it is, and what becomes of it.

    ``done`` says what removing it does, such as "deleted". ``product`` is what the stage's ``undo`` takes if it
    goes. ``why`` gives the reason if it stays, and what a person can do. ``error`` is why it is unknown.
    """

    stage: str
    what: str
    fate: Fate
    done: str = "removed"
    why: str = ""
    product: object | None = None
    error: UnmoorError | None = None


class Remedies(msgspec.Struct, frozen=True, kw_only=True):
    """What a person can do about files on the index, and about a public release. Each takes the stage's product."""

    index: Callable[[Uploaded], str]
    public: Callable[[PublishedRelease], str]


def plan_undo(
    inventory: Inventory,
    *,
    remedies: Remedies,
    plans: Sequence[ImagePlan],
    packages: Mapping[str, Packages],
    positions: TagPositions,
) -> tuple[UndoItem, ...]:
    """Decide what becomes of everything in the inventory, in the order in which it is removed.

    ``plans`` are the configured images, ``positions`` where floating tags pointed before.

    The drafts go last, after everything of which only they may say what it is: see `keep_drafts`.
    """
    needed = _why_needed(inventory)
    known = {registry.name: registry for registry in registries(plans)}
    items = [*_public(inventory, remedies)]
    for each in inventory.images:
        for tag in each.floating:
            pointer = positions.pointer(tag.name, tag.tag, tag.digest)
            items.append(_floating(pointer, known[each.name], needed, plans, inventory.release))
    items += [*_indexes(inventory, remedies)]
    going = {(tag.name, tag.tag) for item in items if item.product is not None for tag in _pointers(item)}
    for each in inventory.images:
        if each.error is not None:
            items.append(UndoItem(stage="registry", what=each.name, fate=Fate.UNKNOWN, error=each.error))
        else:
            gone = frozenset(tag for name, tag in going if name == each.name)
            images = list(_images(each, known[each.name], packages.get(each.name), needed, gone))
            items += _keep_last(images, each, packages.get(each.name), gone)
    items += _drafts(inventory, needed)
    return keep_drafts(items)


def keep_drafts(items: Sequence[UndoItem]) -> tuple[UndoItem, ...]:
    """Keep the drafts while it is unknown what of the images is there: without them, nothing may say what to remove."""
    unknown = [
        each.what
        for each in items
        if (each.fate is Fate.UNKNOWN and each.stage in {"registry", "image-tags"})
        or (each.fate is Fate.LEFT and isinstance(each.product, MovedTags))
    ]
    why = f"it goes last, and this is not removed yet: {', '.join(unknown)}"
    return tuple(
        replace(each, fate=Fate.LEFT, why=why, product=None) if unknown and isinstance(each.product, Draft) else each
        for each in items
    )


def _pointers(item: UndoItem) -> Sequence[MovedTag]:
    return item.product.pointers if isinstance(item.product, MovedTags) else ()


def _why_needed(inventory: Inventory) -> str:
    """Why the draft and the images have to stay; empty if they may go."""
    index = inventory.index
    match inventory.extent(index):
        case Extent.UNKNOWN:
            return f"it cannot be determined whether {index.name} holds files of this version"
        case Extent.SOME:
            return f"{index.name} holds {count_of(len(index.names), 'file')} of this version{_lacks(inventory)}"
        case _:
            return ""


def _lacks(inventory: Inventory) -> str:
    """Why the files on the index may not be all."""
    missing = inventory.missing(inventory.index)
    if missing:
        return f" and lacks {', '.join(map(clean, missing))}"
    if inventory.forge.unread is not None:
        return f", and maybe not all of them: {clean(str(inventory.forge.unread), limit=500)}"
    return (
        ", but not the ones that the manifest lists" if inventory.best else ", and no manifest says that these are all"
    )


def _indexes(inventory: Inventory, remedies: Remedies) -> Iterator[UndoItem]:
    for stage, content in (("pypi", inventory.index), ("testpypi", inventory.staging)):
        if content is None:
            continue
        if content.error is not None:
            yield UndoItem(stage=stage, what=content.name, fate=Fate.UNKNOWN, error=content.error)
        elif content.names:
            what = f"{', '.join(map(clean, content.names))} on {content.name}"
            why = _STAGED if stage == "testpypi" else remedies.index(_uploaded(content))
            yield UndoItem(stage=stage, what=what, fate=Fate.PERMANENT, why=why)


def _uploaded(content: IndexContent) -> Uploaded:
    return Uploaded(index=content.name, files=tuple(Subject(name=name, sha256="") for name in content.names))


def _public(inventory: Inventory, remedies: Remedies) -> Iterator[UndoItem]:
    forge = inventory.forge
    if forge.error is not None:
        yield UndoItem(stage="undraft", what="the release on the forge", fate=Fate.UNKNOWN, error=forge.error)
    elif (page := forge.public) is not None:
        product = PublishedRelease(url=page.url, tag=page.tag, prerelease=page.prerelease, latest=False)
        what = f"the public release with {count_of(len(page.assets), 'asset')}"
        yield UndoItem(stage="undraft", what=what, fate=Fate.PERMANENT, why=remedies.public(product))


def _floating(
    pointer: MovedTag, registry: Registry, needed: str, plans: Sequence[ImagePlan], release: Release
) -> UndoItem:
    what = f"{pointer.name}:{pointer.tag}"
    if needed:
        return UndoItem(stage="image-tags", what=what, fate=Fate.NEEDED, why=needed)
    try:
        goal = plan_move_back(pointer, registry, plans=plans, release=release)
    except (Denied, Unknown) as error:
        return UndoItem(stage="image-tags", what=what, fate=Fate.UNKNOWN, error=error)
    if isinstance(goal, str):
        return UndoItem(stage="image-tags", what=what, fate=Fate.LEFT, why=goal)
    product = MovedTags(pointers=(pointer,), release=release)
    return UndoItem(stage="image-tags", what=what, fate=Fate.GOES, done=str(goal), product=product)


def _images(
    held: HeldImages, registry: Registry, packages: Packages | None, needed: str, gone: frozenset[str]
) -> Iterator[UndoItem]:
    for tag in held.fixed:
        why = "people may have pulled it, and the tag of a version never moves; then release a corrected version"
        yield UndoItem(stage="image-tags", what=f"{tag.name}:{tag.tag}", fate=Fate.PERMANENT, why=why)
    permanent = {tag.tag for tag in held.fixed}
    for image in held.pushed:
        what = f"{image.name}:{image.tag}"
        try:
            beside = tags_beside(registry, packages, image) - gone
        except (Interrupted, Internal):
            raise
        except UnmoorError as error:
            yield UndoItem(stage="registry", what=what, fate=Fate.UNKNOWN, error=error)
        else:
            yield _image(image, what, beside, needed, permanent)


def _keep_last(
    items: Sequence[UndoItem], held: HeldImages, packages: Packages | None, gone: frozenset[str]
) -> Iterator[UndoItem]:
    """Leave one image if no other tag would remain: GHCR does not delete the last tagged version of a package."""
    going = [item for item in items if isinstance(item.product, Pushed)]
    own = {tag for item in going if isinstance(item.product, Pushed) for tag in _own_tags(item.product)}
    try:
        last = going[-1] if packages is not None and going and _tags(packages) <= own | gone else None
    except (Denied, Unknown) as error:
        yield UndoItem(stage="registry", what=held.name, fate=Fate.UNKNOWN, error=error)
        return
    for item in items:
        if item is last:
            why = f"the forge does not delete the last tagged version of a package; delete the package at {held.page}"
            yield replace(item, fate=Fate.LEFT, why=why, product=None)
        else:
            yield item


def _tags(packages: Packages) -> frozenset[str]:
    return frozenset(tag for version in packages.versions() for tag in version.tags)


def _own_tags(pushed: Pushed) -> Iterator[str]:
    for image in pushed.images:
        yield image.tag
        yield from (oci.leg_tag(image.tag, platform) for platform, _ in image.platforms)


def _image(image: PushedImage, what: str, beside: frozenset[str], needed: str, permanent: set[str]) -> UndoItem:
    why = f"{', '.join(map(clean, sorted(beside)))} has the same digest"
    if beside & permanent:
        return UndoItem(stage="registry", what=what, fate=Fate.PERMANENT, why=why)
    if needed:
        return UndoItem(stage="registry", what=what, fate=Fate.NEEDED, why=needed)
    if beside:
        return UndoItem(stage="registry", what=what, fate=Fate.LEFT, why=why)
    more = f" and the tags of {count_of(len(image.platforms), 'platform')}" if len(image.platforms) > 1 else ""
    return UndoItem(stage="registry", what=f"{what}{more}", fate=Fate.GOES, product=Pushed(images=(image,)))


def _drafts(inventory: Inventory, needed: str) -> Iterator[UndoItem]:
    forge, tag = inventory.forge, clean(inventory.release.tag)
    if forge.hidden is not None:
        yield UndoItem(stage="draft", what="drafts", fate=Fate.UNKNOWN, error=forge.hidden)
    unfinished = forge.public is None and inventory.extent(inventory.index) is Extent.ALL
    for each in forge.drafts:
        what = f"the draft of {tag} at {clean(each.url)} with {count_of(len(each.assets), 'asset')}"
        if needed:
            yield UndoItem(stage="draft", what=what, fate=Fate.NEEDED, why=needed)
            continue
        why = f"{tag} can then become a public release only where .unmoor/{tag} is" if unfinished else ""
        product = Draft(id=each.id, tag=each.tag, url=each.url, assets=())
        yield UndoItem(stage="draft", what=what, fate=Fate.GOES, done="deleted", why=why, product=product)
