"""The tags of an image of a branch or pull request: what the rules give, without the tags that belong to releases."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec
from packaging.version import Version

from unmoor import advice
from unmoor.artifacts import oci
from unmoor.config.images import ImageSettings
from unmoor.errors import ConfigError
from unmoor.images import tags as image_tags
from unmoor.images.image_names import BuildTarget, commit_tag
from unmoor.images.image_plan import ImagePlan
from unmoor.images.tags import TagContext
from unmoor.images.tags.planner import LATEST
from unmoor.products import LeftTag, Release
from unmoor.util.text import clean
from unmoor.util.values import replace
from unmoor.versioning import pep440

_NUMBER = re.compile(r"[0-9]")
# Tags that name no version are the same with this one, which nobody releases.
_NO_VERSION = Version("0.0.0")


class BranchTags(msgspec.Struct, frozen=True, kw_only=True):
    """The tags of one target. ``fixed`` ones name the commit, ``floating`` ones move from commit to commit.

    ``left`` are the tags that the rules give, but that are not for this image. ``warnings`` are for the author of the
    rules.
    """

    fixed: tuple[str, ...]
    floating: tuple[str, ...]
    left: tuple[LeftTag, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Every tag, the fixed ones first."""
        return (*self.fixed, *self.floating)


class BranchTarget(msgspec.Struct, frozen=True, kw_only=True):
    """One target of a configured image, with its tags for one ref."""

    plan: ImagePlan
    target: BuildTarget
    tags: BranchTags


def branch_targets(
    settings: Sequence[ImageSettings], plans: Sequence[ImagePlan], release: Release, context: TagContext
) -> tuple[BranchTarget, ...]:
    """Plan the tags of every target of images whose ``plans`` are in the order of their ``settings``.

    Raises as `branch_tags` does.
    """
    return tuple(
        BranchTarget(plan=plan, target=target, tags=branch_tags(each, plan, target, release, context))
        for each, plan in zip(settings, plans, strict=True)
        for target in plan.targets
    )


def branch_tags(
    settings: ImageSettings, plan: ImagePlan, target: BuildTarget, release: Release, context: TagContext
) -> BranchTags:
    """Plan the tags of a target of ``plan``, which is that of ``settings``, for a ref that is not a release.

    ``release`` is what the commit would be as a release. Raises `ConfigError` for invalid rules or an invalid tag.
    """
    planned = image_tags.plan(
        settings.tags,
        settings.flavor.splitlines(),
        (),
        context,
        latest_on_default_branch=settings.latest_on_default_branch,
        may_be_empty=True,
    )
    left: list[LeftTag] = []

    def own(names: tuple[str, ...]) -> Iterator[str]:
        for name in names:
            tag = f"{name}{target.suffix}"
            if not oci.is_tag(tag):
                raise ConfigError(
                    f"{clean(tag, 140)!r} is not a valid tag",
                    where="tool.unmoor.image.tags",
                    next_step=advice.SHORTEN_TAG(),
                )
            if why := _why_not(plan, target, release, context, tag):
                left.append(LeftTag(tag=tag, why=why))
            else:
                yield tag

    return BranchTags(
        fixed=tuple(own(planned.fixed)),
        floating=tuple(own(planned.floating)),
        left=tuple(left),
        warnings=planned.warnings,
    )


def _why_not(plan: ImagePlan, target: BuildTarget, release: Release, context: TagContext, tag: str) -> str:
    """Return why a tag is not for an image of this ref; empty if it is."""
    if tag == f"{LATEST}{target.suffix}" and not context.is_default_branch:
        return f"{LATEST} is only for the default branch, and only if latest_on_default_branch or a rule says so"
    if tag.startswith(commit_tag(release)):
        return "a release pushes this commit under that tag"
    if any(
        tag in _of_release(plan, each, version, release) for each in plan.targets for version in _versions(tag, each)
    ):
        return "it belongs to a release"
    return ""


def _versions(tag: str, target: BuildTarget) -> Iterator[Version]:
    """Yield the versions whose release might have a tag."""
    yield _NO_VERSION
    digit = _NUMBER.search(tag)
    if digit is not None and tag.endswith(target.suffix):
        version = pep440.parse(tag[digit.start() :].removesuffix(target.suffix))
        if version is not None:
            yield version


def _of_release(plan: ImagePlan, target: BuildTarget, version: Version, release: Release) -> frozenset[str]:
    """Return the tags that a target of the release of a version gets; none if the rules give it none."""
    found: set[str] = set()
    for tag in (f"v{version}", str(version)):
        other = replace(release, tag=tag, prefix="", version=str(version), prerelease=version.is_prerelease)
        try:
            planned = plan.planner(other, target)
        except ConfigError:
            continue  # such a release would have no tags
        found.update(planned.fixed, planned.floating)
    return frozenset(found)
