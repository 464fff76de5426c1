"""The images of a branch get the tags of the branch, and none that a release has or may get."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

import pytest

from unmoor.config.images import ImageSettings
from unmoor.errors import ConfigError
from unmoor.images.branch_tags import branch_targets
from unmoor.images.image_plan import image_plans
from unmoor.images.tags import RepositoryFacts, TagContext
from unmoor.ports.registry import Registry
from unmoor.products import Release
from unmoor.util.values import replace

COMMIT = "abcdef1234567890abcdef1234567890abcdef12"
RELEASE = Release(
    repository="acme/demo",
    project="demo",
    tag="",
    version="",
    commit=COMMIT,
    date=1_700_000_000,
    prerelease=True,
    highest=False,
)
MAIN = TagContext(
    ref="refs/heads/main",
    sha=COMMIT,
    event="push",
    now=datetime(2026, 1, 2, tzinfo=UTC),
    default_branch="main",
    repository=RepositoryFacts(default_branch="main"),
)
DEFAULT = ImageSettings()
EVERY_PUSH = ImageSettings(
    tags=(
        "type=ref,event=branch",
        "type=ref,event=branch,suffix=-{{sha}}",
        "type=pep440,pattern={{version}},prefix=v",
        "type=raw,value=latest,enable={{is_default_branch}}",
    ),
    flavor="latest=false",
)
ON_MAIN = ImageSettings(latest_on_default_branch=True)


def planned(settings: ImageSettings, context: TagContext) -> dict[str, tuple[list[str], list[str]]]:
    """Return the tags of each target, and those that it does not get."""
    plans = image_plans((settings,), "acme/demo", lambda _: cast("Registry", None))
    return {
        each.target.stage: (list(each.tags.names), [left.tag for left in each.tags.left])
        for each in branch_targets((settings,), plans, RELEASE, context)
    }


@pytest.mark.parametrize(
    ("settings", "changes", "tags", "left"),
    [
        (DEFAULT, {}, ["main-abcdef1", "main"], ["sha-abcdef1"]),
        (DEFAULT, {"ref": "refs/heads/feature/x"}, ["feature-x-abcdef1", "feature-x"], ["sha-abcdef1"]),
        (DEFAULT, {"ref": "refs/pull/123/merge", "event": "pull_request"}, ["pr-123"], ["sha-abcdef1"]),
        (DEFAULT, {"ref": "refs/tags/v1.2.3"}, [], ["v1.2.3", "sha-abcdef1", "1.2", "1", "latest"]),
        # A branch that is named like a tag of a release.
        (DEFAULT, {"ref": "refs/heads/1.2"}, ["1.2-abcdef1"], ["sha-abcdef1", "1.2"]),
        (DEFAULT, {"ref": "refs/heads/v1.2.3"}, ["v1.2.3-abcdef1"], ["sha-abcdef1", "v1.2.3"]),
        (DEFAULT, {"ref": "refs/heads/v2.0rc1"}, ["v2.0rc1-abcdef1"], ["sha-abcdef1", "v2.0rc1"]),
        (DEFAULT, {"ref": "refs/heads/1.x"}, ["1.x-abcdef1", "1.x"], ["sha-abcdef1"]),
        (DEFAULT, {"ref": "refs/heads/latest"}, ["latest-abcdef1"], ["sha-abcdef1", "latest"]),
        (
            DEFAULT,
            {"ref": "refs/heads/sha-abcdef123456"},
            [],
            ["sha-abcdef123456", "sha-abcdef123456-abcdef1", "sha-abcdef1"],
        ),
        # latest: only where the settings give it to the default branch.
        (ON_MAIN, {}, ["main-abcdef1", "main", "latest"], ["sha-abcdef1"]),
        (ON_MAIN, {"ref": "refs/heads/dev"}, ["dev-abcdef1", "dev"], ["sha-abcdef1"]),
        (ON_MAIN, {"default_branch": ""}, ["main-abcdef1", "main"], ["sha-abcdef1"]),
        (EVERY_PUSH, {}, ["main-abcdef1", "main", "latest"], []),
        (EVERY_PUSH, {"ref": "refs/heads/latest"}, ["latest-abcdef1"], ["latest"]),
        (ImageSettings(flavor="latest=true"), {}, ["main-abcdef1", "main"], ["sha-abcdef1", "latest"]),
        # Tags that every ref gets belong to releases, too.
        (ImageSettings(tags=("type=raw,value=stable", "type=ref,event=branch")), {}, ["main"], ["stable"]),
        (ImageSettings(tags=("type=edge", "type=schedule")), {}, ["edge"], []),
        (ImageSettings(tags=("type=pep440,pattern={{version}}",)), {}, [], []),
        (ImageSettings(tags=("type=sha,format=long,prefix=",)), {}, [], [COMMIT]),
    ],
)
def test_the_tags_of_a_branch(
    settings: ImageSettings, changes: dict[str, Any], tags: list[str], left: list[str]
) -> None:
    """Fixed tags come first; a tag of any release of this project stays with the releases."""
    assert planned(settings, replace(MAIN, **changes)) == {"": (tags, left)}


def test_every_target_has_its_suffix() -> None:
    """The tags that one target gets in a release are not for another target of a branch."""
    settings = ImageSettings(targets={"production": "-prod", "development": ""})
    assert planned(settings, MAIN) == {
        "production": (["main-abcdef1-prod", "main-prod"], ["sha-abcdef1-prod"]),
        "development": (["main-abcdef1", "main"], ["sha-abcdef1"]),
    }
    found = planned(settings, replace(MAIN, ref="refs/heads/v1.0-prod"))
    assert found["development"] == (["v1.0-prod-abcdef1"], ["sha-abcdef1", "v1.0-prod"])


@pytest.mark.parametrize(
    "settings",
    [
        ImageSettings(tags=("type=nonsense",)),
        ImageSettings(targets={"a": "-" + "x" * 59}, tags=("type=ref,event=branch,suffix=-" + "y" * 80,)),
    ],
)
def test_invalid_rules(settings: ImageSettings) -> None:
    """A rule that cannot be read, or a tag that is too long, is an error."""
    with pytest.raises(ConfigError):
        planned(settings, MAIN)
