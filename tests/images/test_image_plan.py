"""The tags that images get."""

from __future__ import annotations

from typing import cast

from unmoor.config.images import ImageSettings
from unmoor.images.image_names import targets_of
from unmoor.images.image_plan import image_plans, other_versions, planner, why_not_ours
from unmoor.ports.registry import Registry
from unmoor.products import Release


def test_a_prefix_of_the_release_tag_does_not_change_image_tags() -> None:
    """The rules see the tag without the project's prefix."""
    settings = ImageSettings()
    (target,) = targets_of(settings)
    plain = Release(
        repository="acme/demo",
        project="pkg",
        tag="v1.2.0",
        version="1.2.0",
        commit="a" * 40,
        date=1_700_000_000,
        prerelease=False,
        highest=True,
    )
    wanted = planner(settings)(plain, target)
    for tag, prefix in (("pkg-v1.2.0", "pkg-"), ("pkg/v1.2.0", "pkg/")):
        release = Release(
            repository=plain.repository,
            project=plain.project,
            tag=tag,
            prefix=prefix,
            version=plain.version,
            commit=plain.commit,
            date=plain.date,
            prerelease=False,
            highest=True,
        )
        assert planner(settings)(release, target) == wanted
    assert wanted.fixed
    assert "latest" in wanted.floating


def test_tags_for_lists_of_signatures_are_no_versions() -> None:
    """A digest of only digits reads like a version, and holds no floating tag back; a higher version does."""
    (plan,) = image_plans((ImageSettings(),), "acme/demo", lambda _: cast("Registry", None))
    (target,) = plan.targets
    release = Release(
        repository="acme/demo",
        project="demo",
        tag="v1.2.0",
        version="1.2.0",
        commit="a" * 40,
        date=1_700_000_000,
        prerelease=False,
        highest=True,
    )
    lists = [f"sha256-{64 * digit}" for digit in "09af"] + [f"sha256-{64 * '9'}.sig"]
    for tag in plan.planner(release, target).floating:
        assert why_not_ours(plan, release, target, tag, lists) == ""
        assert other_versions(plan, release, target, tag, lists) == {}
    assert "(2.0.0)" in why_not_ours(plan, release, target, "latest", [*lists, "v2.0.0"])
