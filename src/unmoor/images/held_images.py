"""Read what registries hold of a release, by the tags that its commit and its version get. No manifest is needed.

Two tags hold the same image if the configurations of its platforms are the same: a tag that is being removed
points at a copy of the image for a moment, which has another digest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from unmoor.artifacts import oci
from unmoor.errors import Internal, Interrupted, UnmoorError
from unmoor.images.image_names import BuildTarget, commit_tag
from unmoor.images.image_plan import (
    ImagePlan,
    commit_only,
    commit_tags,
    product,
    read_remote,
    version_of,
)
from unmoor.images.untag import other_tags_on
from unmoor.ports.registry import Packages, Registry
from unmoor.products import MovedTag, PushedImage, Release
from unmoor.util.values import replace


class HeldTarget(msgspec.Struct, frozen=True, kw_only=True):
    """What one registry holds of one target, the Dockerfile's ``stage``. ``commit_tag`` is the tag of the commit.

    ``pushed`` are the images under the tags of a commit. The ``digest`` of one is empty if only the tags of
    single platforms are left. ``fixed`` are the version's own tags, ``floating`` the floating tags that point
    at this release.
    """

    stage: str
    commit_tag: str
    pushed: tuple[PushedImage, ...] = ()
    fixed: tuple[MovedTag, ...] = ()
    floating: tuple[MovedTag, ...] = ()

    def released(self, name: str) -> PushedImage | None:
        """The image of the release: under the tag of its commit, else under the version's own tag."""
        whole = next((image for image in self.pushed if image.digest), None)
        if whole is not None or not self.fixed:
            return whole
        digest = self.fixed[0].digest
        return PushedImage(name=name, target=self.stage, tag=self.commit_tag, digest=digest, platforms=())


class HeldImages(msgspec.Struct, frozen=True, kw_only=True):
    """What one repository on a registry holds of a release. ``error`` is why it could not be read."""

    name: str
    page: str
    targets: tuple[HeldTarget, ...] = ()
    error: UnmoorError | None = None

    @property
    def pushed(self) -> tuple[PushedImage, ...]:
        """The images under the tags of a commit."""
        return tuple(image for target in self.targets for image in target.pushed)

    @property
    def released(self) -> tuple[PushedImage, ...]:
        """The image of the release for each target that has one."""
        images = (target.released(self.name) for target in self.targets)
        return tuple(image for image in images if image is not None)

    @property
    def fixed(self) -> tuple[MovedTag, ...]:
        """The version's own tags."""
        return tuple(tag for target in self.targets for tag in target.fixed)

    @property
    def floating(self) -> tuple[MovedTag, ...]:
        """The floating tags that point at this release."""
        return tuple(tag for target in self.targets for tag in target.floating)


def read_images(plan: ImagePlan, registry: Registry, releases: Sequence[Release]) -> HeldImages:
    """Read what a registry holds of a release. If it cannot be read, the answer says why.

    ``releases`` is the release at every commit that its tag may have named, the most credible first.
    """
    try:
        targets = tuple(_read_target(plan, registry, target, releases) for target in plan.targets)
    except (Interrupted, Internal):
        raise
    except UnmoorError as error:
        return HeldImages(name=registry.name, page=registry.page, error=error)
    return HeldImages(name=registry.name, page=registry.page, targets=targets)


def tags_beside(registry: Registry, packages: Packages | None, image: PushedImage) -> frozenset[str]:
    """Return the other tags on an image and on its platforms. Raises what the registry and the forge raise."""
    legs = {oci.leg_tag(image.tag, platform) for platform, _ in image.platforms}
    digests = dict.fromkeys(filter(None, (image.digest, *(digest for _, digest in image.platforms))))
    own = frozenset({image.tag, *legs})
    return frozenset(tag for digest in digests for tag in other_tags_on(registry, packages, digest, own))


def _read_target(plan: ImagePlan, registry: Registry, target: BuildTarget, releases: Sequence[Release]) -> HeldTarget:
    under_commits = list(_under_commits(plan, registry, target, releases))
    known = {configs for _, configs in under_commits if configs}
    fixed: dict[str, MovedTag] = {}
    floating: dict[str, MovedTag] = {}
    for release in releases:
        for tag in _version_tags(plan, release, target):
            if tag not in fixed and (seen := read_remote(registry, tag)) is not None:
                known.add(seen.configs)
                fixed[tag] = MovedTag(name=registry.name, tag=tag, digest=seen.manifest.digest)
    for release in releases:
        for tag in commit_only(plan, release, target) - {image.tag for image, _ in under_commits}:
            if (digest := _digest_if_known(registry, tag, known)) is not None:
                fixed[tag] = MovedTag(name=registry.name, tag=tag, digest=digest)
        for tag in plan.planner(release, target).floating:
            if (digest := _digest_if_known(registry, tag, known)) is not None:
                floating[tag] = MovedTag(name=registry.name, tag=tag, digest=digest, floating=True)
    return HeldTarget(
        stage=target.stage,
        commit_tag=commit_tag(releases[0], target.suffix) if releases else "",
        pushed=tuple(image for image, _ in under_commits),
        fixed=tuple(fixed[tag] for tag in sorted(fixed)),
        floating=tuple(floating.values()),
    )


def _version_tags(plan: ImagePlan, release: Release, target: BuildTarget) -> tuple[str, ...]:
    """The tags that name the version, without those that only name its commit."""
    shared = commit_only(plan, release, target)
    return tuple(tag for tag in plan.planner(release, target).fixed if tag not in shared)


def _digest_if_known(registry: Registry, tag: str, known: set[tuple[str, ...]]) -> str | None:
    """The digest behind a tag if that is one of the known images."""
    seen = read_remote(registry, tag) if known else None
    return seen.manifest.digest if seen is not None and seen.configs in known else None


def _under_commits(
    plan: ImagePlan, registry: Registry, target: BuildTarget, releases: Sequence[Release]
) -> Iterator[tuple[PushedImage, tuple[str, ...]]]:
    """Yield the image under each tag of a commit, with its configurations, unless it is of another version."""
    for release in releases:
        for tag in commit_tags(release, target):
            seen = read_remote(registry, tag)
            if seen is not None and version_of(registry, seen) not in {"", release.version}:
                continue
            legs = dict(_legs(plan, registry, tag, release))
            if seen is not None:
                found = product(registry, target, tag, seen, plan.platforms)
                yield replace(found, platforms=tuple(sorted({**dict(found.platforms), **legs}.items()))), seen.configs
            elif legs:
                alone = PushedImage(
                    name=registry.name, target=target.stage, tag=tag, digest="", platforms=tuple(sorted(legs.items()))
                )
                yield alone, ()


def _legs(plan: ImagePlan, registry: Registry, tag: str, release: Release) -> Iterator[tuple[str, str]]:
    """Yield each platform that has a tag of its own, with the digest there."""
    for platform in plan.platforms if len(plan.platforms) > 1 else ():
        seen = read_remote(registry, oci.leg_tag(tag, platform))
        if seen is not None and version_of(registry, seen) in {"", release.version}:
            yield platform, seen.manifest.digest
