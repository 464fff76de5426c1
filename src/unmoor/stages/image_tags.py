"""The stage ``image-tags``: point the tags that users pull at the digests that were pushed and tested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from unmoor.artifacts.run_dir import RunFolder
from unmoor.core.stage import NotUndone, Output, Publish, StageContext, Undone
from unmoor.errors import Denied, Internal, Interrupted, UnmoorError
from unmoor.images.image_plan import ImagePlan, manifest_by_digest, registries
from unmoor.images.tag_placement import TagPlacement, placements
from unmoor.ports.clock import Clock
from unmoor.ports.git import Git
from unmoor.ports.registry import Packages, Registry
from unmoor.ports.services import Services
from unmoor.products import MovedTag, MovedTags, Pushed, Release, Uploaded
from unmoor.publish.move_back import move_back
from unmoor.publish.tag_positions import UNRECORDED, TagPositions, record_position
from unmoor.publish.tag_recheck import verify_tag_unmoved
from unmoor.release_request import ReleaseRequest


@dataclass(frozen=True, kw_only=True)
class TagImages(Publish[MovedTags]):
    """Points the version's tags at the pushed digests, then the floating tags that belong to this release.

    What the registry holds at that moment decides which floating tags move. Where each pointed before is
    first recorded in the run folder, so that `undo_partly` can move it back.
    """

    name: str = "image-tags"
    release: Output[Release]
    pushed: Output[Pushed]
    plans: tuple[ImagePlan, ...]
    folder: RunFolder
    git: Git
    clock: Clock
    packages: Mapping[str, Packages] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        request: ReleaseRequest,
        services: Services,
        *,
        release: Output[Release],
        pushed: Output[Pushed],
        uploaded: Output[Uploaded],
    ) -> Self:
        """Build the stage for a request."""
        return cls(
            release=release,
            pushed=pushed,
            plans=request.image_plans(services),
            folder=request.folder,
            git=services.git,
            clock=services.clock,
            packages=request.packages(services),
            after=(uploaded,),
        )

    def plan(self) -> str:
        """Say which tags would be moved."""
        names = ", ".join(registry.name for registry in registries(self.plans))
        return (
            f"point the version's tags at the pushed images on {names}, and floating tags if no version there is higher"
        )

    def find(self, context: StageContext) -> MovedTags | None:
        """Return the tags if each points where it belongs.

        Raises `Conflict` if a tag of the version points at another digest.
        """
        release, pushed = context[self.release], context[self.pushed]
        known = TagPositions.of(self.folder, pushed.before)
        all_placements = list(placements(self.plans, release, pushed.images))
        pointers: list[MovedTag] = []
        left: list[str] = []
        for placement in all_placements:
            there, stays = placement.fixed(release)
            if len(there) + len(stays) < len(placement.tags.fixed):
                return None
            pointers += [_fixed(placement, tag) for tag in there]
            left += stays.values()
        for placement in all_placements:
            mine, stays = placement.floating(release)
            if any(placement.registry.head(tag) != placement.image.digest for tag in mine):
                return None
            name, digest = placement.registry.name, placement.image.digest
            pointers += [known.pointer(name, tag, digest) for tag in mine]
            left += stays.values()
        return MovedTags(pointers=tuple(pointers), left=tuple(left), release=release)

    def make(self, context: StageContext) -> MovedTags:
        """Move the version's tags on every registry, then the floating ones; decide each at the last moment."""
        release, pushed = context[self.release], context[self.pushed]
        verify_tag_unmoved(self.git, release, already="the files are on the index already, and stay there")
        all_placements = list(placements(self.plans, release, pushed.images))
        moving = _Moving(context=context, folder=self.folder, pushed=pushed, undecided=list(all_placements))
        moving.wanted += [(placement, tag) for placement in all_placements for tag in placement.tags.fixed]
        try:
            for placement in all_placements:
                moving.move_fixed(placement, release)
            # If anything was refused so far, no floating tag has moved anywhere.
            for placement in all_placements:
                moving.move_floating(placement, release)
        except UnmoorError as error:
            raise moving.with_progress(error) from error
        return MovedTags(pointers=tuple(moving.done), left=tuple(moving.left), release=release)

    def remedy(self, product: MovedTags) -> str:
        """Say how floating tags move back. The version's own tags stay."""
        fixed = ", ".join(f"{each.name}:{each.tag}" for each in product.pointers if not each.floating)
        back = "; ".join(f"{each.name}:{each.tag} to {_goal(each)}" for each in product.pointers if each.floating)
        moved = f" Floating tags can move back, which undo does: {back}." if back else ""
        return f"{fixed} stay: people may have pulled them.{moved} Then release a corrected version."

    def undo_partly(self, product: MovedTags) -> tuple[Undone | NotUndone, ...]:
        """Move every floating tag back to what it pointed at before this release; see `unmoor.publish.move_back`."""
        known = {registry.name: registry for registry in registries(self.plans)}
        floating = (each for each in product.pointers if each.floating)
        return tuple(self._move_back(known[each.name], each, product.release) for each in floating)

    def _move_back(self, registry: Registry, pointer: MovedTag, release: Release | None) -> Undone | NotUndone:
        where = f"{registry.name}:{pointer.tag}"
        if release is None:
            return NotUndone(f"{where} stays: {UNRECORDED}")
        try:
            packages = self.packages.get(registry.name)
            return move_back(pointer, registry, packages, plans=self.plans, release=release, clock=self.clock)
        except (Interrupted, Internal):
            raise
        except UnmoorError as error:
            return NotUndone(f"{where} stays: {error.what}")


def _goal(pointer: MovedTag) -> str:
    """Say where a floating tag would go."""
    if not pointer.record:
        return "where it was, which is not recorded"
    return pointer.before or "nothing, since there was no such tag"


@dataclass(kw_only=True)
class _Moving:
    """One run of `make`: which tags have moved, which have yet to move, and which stay.

    ``undecided`` are the placements whose floating tags have not been decided yet.
    """

    context: StageContext
    folder: RunFolder
    pushed: Pushed
    undecided: list[TagPlacement]
    wanted: list[tuple[TagPlacement, str]] = field(default_factory=list)
    done: list[MovedTag] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def move_fixed(self, placement: TagPlacement, release: Release) -> None:
        """Point the tags of the version."""
        right, stays = placement.fixed(release)
        self._report_unmoved(stays)
        self.wanted = [each for each in self.wanted if each[0] is not placement or each[1] not in stays]
        manifest = manifest_by_digest(placement.registry, placement.image.digest)
        for tag in (tag for tag in placement.tags.fixed if tag not in stays):
            if tag not in right:
                placement.registry.put(tag, manifest)
                self.context.say(f"{placement.registry.name}:{tag} points at {manifest.digest}")
            self.done.append(_fixed(placement, tag))

    def move_floating(self, placement: TagPlacement, release: Release) -> None:
        """Move the floating tags. Where each points is written to disk before it moves."""
        mine, stays = placement.floating(release)
        self.undecided.remove(placement)
        self._report_unmoved(stays)
        self.wanted += [(placement, tag) for tag in mine]
        manifest = manifest_by_digest(placement.registry, placement.image.digest)
        for tag in mine:
            before = placement.registry.head(tag)
            if before != manifest.digest:
                record_position(self.folder, placement.registry.name, tag, manifest.digest, before=before)
                placement.registry.put(tag, manifest)
                earlier = f"instead of {before}" if before else "a new tag"
                self.context.say(f"{placement.registry.name}:{tag} points at {manifest.digest}, {earlier}")
            positions = TagPositions.of(self.folder, self.pushed.before)
            self.done.append(positions.pointer(placement.registry.name, tag, manifest.digest))

    def _report_unmoved(self, stays: Mapping[str, str]) -> None:
        for why in stays.values():
            self.context.say(why)
        self.left += stays.values()

    def with_progress(self, error: UnmoorError) -> UnmoorError:
        """The error with the tags that moved and those that did not."""
        moved = {(each.name, each.tag) for each in self.done}
        names = [
            f"{placement.registry.name}:{tag}"
            for placement, tag in self.wanted
            if (placement.registry.name, tag) not in moved
        ]
        there = ", ".join(f"{name}:{tag}" for name, tag in sorted(moved))
        later = [
            placement.target.stage or placement.registry.name for placement in self.undecided if placement.tags.floating
        ]
        names += [f"any floating tag of {', '.join(dict.fromkeys(later))}"] if later else []
        return error.amended(
            also=f"moved: {there or 'nothing'}; not moved: {', '.join(names) or 'nothing else'}",
            # Once the permission is granted, the same command continues.
            retryable=error.retryable or isinstance(error, Denied),
        )


def _fixed(placement: TagPlacement, tag: str) -> MovedTag:
    """The product of one tag that names the version."""
    return MovedTag(name=placement.registry.name, tag=tag, digest=placement.image.digest)
