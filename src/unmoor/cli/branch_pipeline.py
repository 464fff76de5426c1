"""The images of a branch or pull request, from top to bottom: a short release that ends at the registry."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from unmoor.core.pipeline import Pipeline
from unmoor.images.branch_tags import BranchTarget
from unmoor.ports.services import Services
from unmoor.products import Release
from unmoor.release_request import ReleaseRequest
from unmoor.stages.branch_images import PushBranch
from unmoor.stages.commit import BuildCommit
from unmoor.stages.commit_dists import TakeCommitDists
from unmoor.stages.images import BuildImages
from unmoor.stages.prove_images import ProveImages


class BranchBuild(msgspec.Struct, frozen=True, kw_only=True):
    """What to build: the commit, as `unmoor.stages.commit.BuildCommit` describes it, and where it goes.

    ``targets`` are the images with their tags, ``None`` to push nothing.
    """

    provisional: Release
    start: str
    precedes: Callable[[str, str], bool]
    targets: tuple[BranchTarget, ...] | None


def assemble_branch(request: ReleaseRequest, services: Services, build: BranchBuild) -> Pipeline:
    """Put the stages together: as in a release, the images contain the built wheel, and are tested before the push."""
    run = (request, services)
    build_commit = BuildCommit.of(*run, provisional=build.provisional, start=build.start)
    release = build_commit.output
    take_dists = TakeCommitDists.of(request, release=release)
    build_images = BuildImages.of(*run, release=release, dists=take_dists.output)
    prove_images = ProveImages.of(*run, release=release, images=build_images.output)
    push = build.targets and PushBranch.of(
        services,
        targets=build.targets,
        precedes=build.precedes,
        release=release,
        images=build_images.output,
        proof=prove_images.output,
    )
    return Pipeline.of(build_commit, take_dists, build_images, prove_images, push or None)
