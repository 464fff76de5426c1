"""Decide where the tags of a release belong, for each target on each registry, by what is there now.

Code that moves tags and code that only inspects them both use this, so they agree on which tag is right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from unmoor import advice
from unmoor.errors import Conflict, Internal
from unmoor.images.image_names import BuildTarget
from unmoor.images.image_plan import ImagePlan, PlannedTags, commit_only, other_versions, why_not_ours
from unmoor.ports.registry import Registry
from unmoor.products import PushedImage, Release, TagPosition
from unmoor.util.text import clean


class TagPlacement(msgspec.Struct, frozen=True, kw_only=True):
    """One target on one registry, with the tags that are planned for it."""

    plan: ImagePlan
    registry: Registry
    target: BuildTarget
    image: PushedImage
    tags: PlannedTags

    def fixed(self, release: Release) -> tuple[list[str], dict[str, str]]:
        """Return the fixed tags that are right already, and why others stay with another release of the same commit.

        Raises `Conflict` if a tag that names the version points at another digest.
        """
        of_commit = self.of_commit(release)
        right: list[str] = []
        left: dict[str, str] = {}
        for tag in self.tags.fixed:
            there = self.registry.head(tag)
            if there == self.image.digest:
                right.append(tag)
            elif there is not None and tag in of_commit:
                left[tag] = f"{self.registry.name}:{tag} stays: another release of the same commit has it ({there})"
            elif there is not None:
                raise Conflict(
                    f"{clean(tag)} points at {there}, but {self.image.digest} was pushed and tested",
                    where=self.registry.name,
                    next_step=advice.FIND_WHO_MOVED_VERSION(),
                )
        return right, left

    def floating(self, release: Release) -> tuple[list[str], dict[str, str]]:
        """Return the floating tags that now belong to this release, and why the others do not."""
        why = self.why_tags_stay(release)
        left = {tag: f"{self.registry.name}:{reason}" for tag, reason in why.items()}
        return [tag for tag in self.tags.floating if tag not in left], left

    def of_commit(self, release: Release) -> frozenset[str]:
        """Return the fixed tags that another release of the same commit may have, too."""
        return commit_only(self.plan, release, self.target)

    def why_tags_stay(self, release: Release) -> Mapping[str, str]:
        """Return the floating tags that do not belong to this release now, each with the reason."""
        published = self.registry.tags() if self.tags.floating else ()
        why = ((tag, why_not_ours(self.plan, release, self.target, tag, published)) for tag in self.tags.floating)
        return {tag: reason for tag, reason in why if reason}


def placements(plans: Sequence[ImagePlan], release: Release, images: Iterable[PushedImage]) -> Iterator[TagPlacement]:
    """Yield where pushed images belong. Raises `Internal` for an image that no plan configures."""
    known = {
        (registry.name, target.stage): (plan, registry, target)
        for plan in plans
        for registry in plan.registries
        for target in plan.targets
    }
    for image in images:
        if (image.name, image.target) not in known:
            raise Internal(f"no image is configured for {image.name}", next_step=advice.REPORT_IT())
        plan, registry, target = known[image.name, image.target]
        yield TagPlacement(plan=plan, registry=registry, target=target, image=image, tags=plan.planner(release, target))


def positions_before(
    plans: Sequence[ImagePlan], release: Release, images: Iterable[PushedImage], earlier: Iterable[TagPosition] = ()
) -> tuple[TagPosition, ...]:
    """Return what every floating tag of some images points at, before it is moved to them.

    A tag that points at its image already is as in ``earlier``, or left out: where it was before is not known.
    Raises what the registries raise.
    """
    known = {(each.name, each.tag): each for each in earlier}
    found: list[TagPosition] = []
    for placement in placements(plans, release, images):
        name = placement.registry.name
        for tag in placement.tags.floating:
            there = placement.registry.head(tag)
            if there != placement.image.digest:
                found.append(TagPosition(name=name, tag=tag, digest=there))
            elif (name, tag) in known:
                found.append(known[name, tag])
    return tuple(found)


def versions_under(plans: Sequence[ImagePlan], release: Release, registry: Registry, tag: str) -> tuple[str, ...]:
    """Return the own tags of other versions on a registry that a floating tag may point at, the highest version first.

    Raises `Denied`, `Unknown`.
    """
    published = registry.tags()
    found = {
        own: version
        for plan in plans
        if registry.name in {each.name for each in plan.registries}
        for target in plan.targets
        for own, version in other_versions(plan, release, target, tag, published).items()
    }
    return tuple(sorted(found, key=lambda own: found[own], reverse=True))
