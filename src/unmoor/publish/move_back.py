"""Move a floating tag back to what it pointed at before a release: decide where to, and do it.

A record of where it pointed may be anybody's. So a tag goes only to an image that a tag of another version points at,
and is only removed if the registry has no other version that it could point at.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from unmoor.core.stage import NotUndone, Undone
from unmoor.images.image_plan import ImagePlan, manifest_by_digest
from unmoor.images.tag_placement import versions_under
from unmoor.images.untag import untag
from unmoor.ports.clock import Clock
from unmoor.ports.registry import Packages, Registry
from unmoor.products import MovedTag, Release
from unmoor.publish.tag_positions import UNRECORDED


class MoveBack(msgspec.Struct, frozen=True, kw_only=True):
    """Where a floating tag goes: to a digest that the tag of another ``version`` has, or away if there was none."""

    digest: str | None
    version: str = ""

    def __str__(self) -> str:
        if self.digest is None:
            return "removed, since there was no such tag before"
        return f"moved back to {self.digest}, which is {self.version}"


def plan_move_back(
    pointer: MovedTag, registry: Registry, *, plans: Sequence[ImagePlan], release: Release
) -> MoveBack | str:
    """Decide where a tag that points at the release goes, or say why it stays. Raises `Denied`, `Unknown`."""
    where = f"{registry.name}:{pointer.tag}"
    if not pointer.record:
        return UNRECORDED
    others = versions_under(plans, release, registry, pointer.tag)
    if pointer.before is None and others:
        return (
            f"{pointer.record} says that there was no such tag before, but it could point at {others[0]}; if it should,"
            f" move it: {_by_hand(where, f'{registry.name}:{others[0]}')}"
        )
    if pointer.before is None:
        return MoveBack(digest=None)
    named = next((each for each in others if registry.head(each) == pointer.before), None)
    if named is None:
        return (
            f"{pointer.record} says that it pointed at {pointer.before} before, but no tag of another version does;"
            f" if that is right, move it: {_by_hand(where, f'{registry.name}@{pointer.before}')}"
        )
    return MoveBack(digest=pointer.before, version=named)


def move_back(
    pointer: MovedTag,
    registry: Registry,
    packages: Packages | None,
    *,
    plans: Sequence[ImagePlan],
    release: Release,
    clock: Clock,
) -> Undone | NotUndone:
    """Move a tag back, unless it no longer points at the release. Raises what the registry and the forge raise."""
    where = f"{registry.name}:{pointer.tag}"
    there = registry.head(pointer.tag)
    if pointer.record and there != pointer.digest:
        moved_back = there == pointer.before
        return Undone(f"{where} was already moved back") if moved_back else NotUndone(_moved_on(where, there))
    goal = plan_move_back(pointer, registry, plans=plans, release=release)
    if isinstance(goal, str):
        return NotUndone(f"{where} stays: {goal}")
    if goal.digest is None:
        return untag(registry, packages, pointer.tag, manifest_by_digest(registry, pointer.digest), clock)
    registry.put(pointer.tag, manifest_by_digest(registry, goal.digest))
    return Undone(f"{where} points at {goal.digest} again, as {goal.version} does")


def _by_hand(where: str, source: str) -> str:
    return f"docker buildx imagetools create --tag {where} {source}"


def _moved_on(where: str, there: str | None) -> str:
    return f"{where} stays: it has since moved to {there}" if there else f"{where} is gone already"
