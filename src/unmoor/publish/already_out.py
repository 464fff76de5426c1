"""What indexes and registries already hold of a version, before a draft is made or its files are replaced."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from unmoor.ports.index import Index
from unmoor.products import Dists, Images, Release
from unmoor.publish.index_state import split_missing

if TYPE_CHECKING:
    from unmoor.images.image_plan import ImagePlan


def require_nothing_else_out(
    release: Release, dists: Dists, images: Images | None, *, indexes: Iterable[Index], plans: Sequence[ImagePlan]
) -> None:
    """Raise `Conflict` if an index or a registry holds anything of this version except these files and images.

    Raises `Unknown` and `Denied` if one cannot be read.
    """
    for index in indexes:
        split_missing(index, release.project, release.version, dists.files)
    if not plans:
        return
    from unmoor.images.existing import find_existing

    for plan in plans:
        for target in plan.targets:
            wanted = tuple(plan.images_of(target, images).values()) if images is not None else ()
            for registry in plan.registries:
                find_existing(plan, registry, target, release, wanted)
