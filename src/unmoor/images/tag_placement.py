"""Where the tags of a release belong: one spot for each target on each registry, judged by what is there now.

Whoever moves tags and whoever only looks at them ask here, so that both mean the same by a tag that is right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from unmoor.errors import Conflict, Internal
from unmoor.images.image_names import BuildTarget
from unmoor.images.image_plan import ImagePlan, PlannedTags, commit_only, why_not_ours
from unmoor.ports.registry import Registry
from unmoor.products import PushedImage, Release
from unmoor.util.text import clean


@dataclass(frozen=True, kw_only=True)
class TagPlacement:
    """One target on one registry, with the tags that are planned for it."""

    line: ImagePlan
    registry: Registry
    target: BuildTarget
    image: PushedImage
    tags: PlannedTags

    def fixed(self, release: Release) -> tuple[list[str], dict[str, str]]:
        """The fixed tags that are right already, and why others stay with another release of the same commit.

        Raises `Conflict` where a tag that names the version is another digest.
        """
        alone = self.alone(release)
        right: list[str] = []
        left: dict[str, str] = {}
        for tag in self.tags.fixed:
            there = self.registry.head(tag)
            if there == self.image.digest:
                right.append(tag)
            elif there is not None and tag in alone:
                left[tag] = f"{self.registry.name}:{tag} stays: another release of the same commit has it ({there})"
            elif there is not None:
                raise Conflict(
                    f"{clean(tag)} is {there} there, and {self.image.digest} was pushed and tested",
                    where=self.registry.name,
                    next_step="a version's tag is never moved: find out who set it, or release under a new version",
                )
        return right, left

    def floating(self, release: Release) -> tuple[list[str], dict[str, str]]:
        """The floating tags that are this release's by what the registry holds now, and why others are not."""
        why = self.stays(release)
        left = {tag: f"{self.registry.name}:{reason}" for tag, reason in why.items()}
        return [tag for tag in self.tags.floating if tag not in left], left

    def alone(self, release: Release) -> frozenset[str]:
        """The fixed tags that another release of the same commit may rightly have."""
        return commit_only(self.line, release, self.target)

    def stays(self, release: Release) -> Mapping[str, str]:
        """The floating tags that are not this release's by what the registry holds now, each with the reason."""
        published = self.registry.tags() if self.tags.floating else ()
        why = ((tag, why_not_ours(self.line, release, self.target, tag, published)) for tag in self.tags.floating)
        return {tag: reason for tag, reason in why if reason}


def placements(lines: Sequence[ImagePlan], release: Release, images: Iterable[PushedImage]) -> Iterator[TagPlacement]:
    """Where pushed images belong. Raises `Internal` for one that no line configures."""
    known = {
        (registry.name, target.stage): (line, registry, target)
        for line in lines
        for registry in line.registries
        for target in line.targets
    }
    for image in images:
        if (image.name, image.target) not in known:
            raise Internal(f"nothing is configured for {image.name}", next_step="report it")
        line, registry, target = known[image.name, image.target]
        yield TagPlacement(line=line, registry=registry, target=target, image=image, tags=line.planner(release, target))
