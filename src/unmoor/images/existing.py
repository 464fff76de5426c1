"""What a registry already holds under the tags that a release pushes to: this image, nothing, or another image."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from unmoor import advice
from unmoor.artifacts import oci
from unmoor.images.image_names import BuildTarget
from unmoor.images.image_plan import (
    ImagePlan,
    RemoteImage,
    commit_only,
    read_commit_tag,
    read_remote,
    require_image,
)
from unmoor.images.push import COMMIT_TAKEN
from unmoor.ports.registry import OciManifest, Registry
from unmoor.products import Image, Release

_TAKEN = advice.FIND_WHO_PUSHED_VERSION()


class ExistingImage(msgspec.Struct, frozen=True, kw_only=True):
    """The commit's tag of one target on one registry, and the whole image under it, ``None`` if any of it is missing.

    ``released`` is what the version's own tags point at.
    """

    tag: str
    remote: RemoteImage | None = None
    released: OciManifest | None = None


def find_existing(
    plan: ImagePlan, registry: Registry, target: BuildTarget, release: Release, images: Sequence[Image]
) -> ExistingImage:
    """Read every tag that a push of these images would use. Changes nothing.

    Raises `Conflict` if one points at another image (a version's tag, the commit's, or one platform's), and what the
    registry raises.
    """
    alone = commit_only(plan, release, target)
    released: OciManifest | None = None
    for tag in plan.planner(release, target).fixed:
        seen = read_remote(registry, tag) if tag not in alone else None
        if seen is not None:
            require_image(seen, images, registry, tag, _TAKEN)
            released = seen.manifest
    tag, seen = read_commit_tag(registry, release, target, images)
    # Somebody may have removed one platform: it is pushed again, and the index is put over it again.
    if seen is not None and released is None and seen.has_lost_some_of(images):
        seen = None
    if seen is not None:
        require_image(seen, images, registry, tag, COMMIT_TAKEN, retryable=True)
    elif released is None and len(images) > 1:
        for image in images:
            leg = oci.leg_tag(tag, image.platform)
            remote = read_remote(registry, leg)
            if remote is not None:
                require_image(remote, [image], registry, leg, COMMIT_TAKEN, retryable=True)
    return ExistingImage(tag=tag, remote=seen, released=released)
