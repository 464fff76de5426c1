"""The state of every surface of a release: compared with a manifest, or as it is if there is none.

A surface that cannot be read is unknown, with the reason; it never hides another one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import msgspec

from unmoor import advice
from unmoor.errors import Internal, Interrupted, UnmoorError
from unmoor.images.held_images import HeldImages
from unmoor.images.image_names import commit_tag
from unmoor.images.image_plan import ImagePlan
from unmoor.images.image_state import compare_images
from unmoor.ports.forge import Forge, ForgeRelease
from unmoor.ports.registry import Registry
from unmoor.products import PushedImage, Release
from unmoor.products.surface_state import Item, State, SurfaceState
from unmoor.publish.compare import FORGE, compare_holding, compare_release, file_item
from unmoor.publish.inventory import IndexContent, Inventory, released_elsewhere
from unmoor.util.text import clean, count_of

TAG = "tag"


class SurfaceStates(msgspec.Struct, frozen=True, kw_only=True):
    """Judges every surface of an inventory.

    ``registry`` opens the registry behind an image's name, ``plans`` are the configured images, ``highest`` tells
    whether the release is the highest; it is called only if that decides about a tag.
    """

    inventory: Inventory
    forge: Forge
    registry: Callable[[str], Registry]
    plans: Sequence[ImagePlan]
    highest: Callable[[], Release]

    def read(self) -> tuple[SurfaceState, ...]:
        """Return the state of the tag, the staging index, the index, the forge, and the registries, in that order."""
        indexes = [each for each in (self.inventory.staging, self.inventory.index) if each is not None]
        judged: list[tuple[str, Callable[[], SurfaceState]]] = [(TAG, self._tag)]
        judged += [(each.name, partial(self._index, each)) for each in indexes]
        judged += [(FORGE, self._forge)]
        if self.inventory.has_images:
            judged += [(each.name, partial(self._images, each)) for each in self.inventory.images]
        with ThreadPoolExecutor(max_workers=len(judged), thread_name_prefix="surfaces") as pool:
            return tuple(pool.map(lambda each: _state_or_unknown(*each), judged))

    def _tag(self) -> SurfaceState:
        """Compare the tag on the remote with the commit of the release."""
        tag, commit = self.inventory.tag, self.inventory.release.commit
        if tag.error is not None:
            raise tag.error
        wrong = released_elsewhere(self.inventory)
        state = State.COMPLETE
        if wrong or tag.remote is None:
            state = State.INCOMPLETE if tag.remote is None else State.CONFLICTING
        note = wrong or ("" if tag.remote else "the tag is neither in this checkout nor on the remote")
        item = Item(name=self.inventory.release.tag, state=state, expected=commit, seen=tag.remote, note=note)
        return SurfaceState.of(TAG, [item])

    def _index(self, content: IndexContent) -> SurfaceState:
        if content.holding is None:
            raise _error(content.error)
        best = self.inventory.best
        if best is not None:
            return compare_holding(best.manifest, content.holding, name=content.name, page=content.page)
        note = "there is no manifest, so nothing says whether these are all files" if content.names else "no file"
        items = [file_item(name, content.holding) for name in content.names]
        return SurfaceState.of(content.name, items, note=note, url=content.page)

    def _forge(self) -> SurfaceState:
        content, best = self.inventory.forge, self.inventory.best
        if content.error is not None:
            raise content.error
        if content.unread is not None and best is None:
            raise content.unread
        drafts = _describe_drafts(content.drafts)
        if content.public is None:
            unseen = "" if content.hidden is None else f"drafts cannot be seen: {content.hidden.in_brief()}"
            public = f"no public release of {clean(self.inventory.release.tag)}"
            note = "; ".join(filter(None, (public, drafts, unseen)))
            return SurfaceState(surface=FORGE, state=State.INCOMPLETE, note=note)
        if best is not None:
            return compare_release(best.manifest, content.public, self.forge)
        items = [
            Item(
                name=asset.name,
                state=State.COMPLETE if asset.uploaded else State.INCOMPLETE,
                expected="",
                seen=asset.sha256,
            )
            for asset in content.public.assets
        ]
        note = "; ".join(filter(None, ("the public release has no manifest", drafts)))
        return SurfaceState.of(FORGE, items, note=note, url=content.public.url)

    def _images(self, held: HeldImages) -> SurfaceState:
        """Compare one registry with what was pushed to it, and name the images that it lacks."""
        pushed = self.inventory.pushed_to(held.name)
        unread = held.error or self.inventory.forge.unread
        if unread is not None and not self.inventory.is_recorded:
            raise unread
        state = compare_images(pushed, self.registry(held.name), self.forge, plans=self.plans, release=self.highest)
        return SurfaceState.of(
            held.name, [*state.items, *_absent(held, self.plans, pushed, self.inventory.release)], url=held.page
        )


def _state_or_unknown(surface: str, judge: Callable[[], SurfaceState]) -> SurfaceState:
    try:
        return judge()
    except (Interrupted, Internal):
        raise
    except UnmoorError as error:
        return SurfaceState(surface=surface, state=State.UNKNOWN, note=error.in_brief(where=True))


def _error(error: UnmoorError | None) -> UnmoorError:
    return error or Internal("a surface was neither read nor did it fail", next_step=advice.REPORT_IT())


def _describe_drafts(drafts: Sequence[ForgeRelease]) -> str:
    each = [f"{clean(draft.url)} with {count_of(len(draft.assets), 'asset')}" for draft in drafts]
    if len(each) > 1:
        return f"there are several drafts: {', '.join(each)}"
    return f"there is a draft at {each[0]}" if each else ""


def _absent(
    held: HeldImages, plans: Sequence[ImagePlan], pushed: Sequence[PushedImage], release: Release
) -> Iterator[Item]:
    """Yield an item for each target that the registry should hold and does not."""
    there = {image.target for image in pushed}
    for plan in plans:
        if held.name not in {registry.name for registry in plan.registries}:
            continue
        for target in plan.targets:
            if target.stage not in there:
                tag = commit_tag(release, target.suffix)
                yield Item(name=tag, state=State.INCOMPLETE, expected="", seen=None, note="not there")
