"""The assembly: which stages there are, and what they are given, by the settings."""

from __future__ import annotations

import pytest
from tests.support.unused_services import unused_pipeline

from unmoor.config.images import ImageSettings
from unmoor.config.settings import Settings
from unmoor.core.stage import Reach
from unmoor.stages.access import ProveAccess

STAGED = {"testpypi", "prove-testpypi"}


def test_nothing_is_public_before_the_index_has_it() -> None:
    """What cannot be taken back begins with the index; the page follows it, and the draft comes before both."""
    pipeline = unused_pipeline(Settings())
    stages = [pipeline[name] for name in pipeline.names]
    final = [stage.name for stage in stages if stage.reach is Reach.FINAL]
    assert final == ["pypi", "undraft"]
    waits = {name: {output.by for output in pipeline[name].after} for name in final}
    assert {"access", "check-dists", "prove-dists", "draft", "testpypi", "prove-testpypi"} <= waits["pypi"]
    assert "pypi" in waits["undraft"]


def test_the_draft_comes_before_the_images() -> None:
    """The draft hands the bytes on, so it is there before the first push; what is final waits for the images, too."""
    pipeline = unused_pipeline(images=(ImageSettings(),))
    names = pipeline.names
    assert names.index("prove-images") < names.index("draft") < names.index("registry") < names.index("pypi")
    needs = {stage.name: {output.by for output in stage.needs} for stage in pipeline}
    assert {"images", "prove-images"} <= needs["draft"]
    assert {"draft", "prove-images", "access", "check-dists", "prove-dists"} <= needs["registry"]
    assert "registry" not in pipeline.upstream_of(pipeline["testpypi"])
    assert "registry" in needs["sign-images"]
    assert {"draft", "registry", "sign-images", "prove-testpypi"} <= needs["pypi"]


@pytest.mark.parametrize(
    ("settings", "skipped", "staged"),
    [
        (Settings(), (), STAGED),
        (Settings(testpypi="advisory"), (), STAGED),
        (Settings(testpypi="off"), (), set()),
        (Settings(), ("testpypi",), set()),
        (Settings(), ("prove-testpypi",), {"testpypi"}),
    ],
    ids=["required", "advisory", "off", "skipped", "proof skipped"],
)
def test_a_staging_index_that_is_not_used_is_not_asked_for_a_login(
    settings: Settings, skipped: tuple[str, ...], staged: set[str]
) -> None:
    """Who turned the staging index off, or skips it, needs no account there."""
    pipeline = unused_pipeline(settings, skipped=skipped)
    assert STAGED & set(pipeline.names) == staged
    access = pipeline["access"]
    assert isinstance(access, ProveAccess)
    assert (access.staging is not None) is bool(staged)
    assert access.advisory_staging is (settings.testpypi == "advisory")


def test_optional_stages_by_settings() -> None:
    """The second build is there unless it is turned off, the signature by a key only if the settings name one."""
    assert "rebuild" in unused_pipeline(Settings()).names
    assert "rebuild" not in unused_pipeline(Settings(reproducible="off")).names
    assert "sign-sums" not in unused_pipeline(Settings()).names
    pipeline = unused_pipeline(Settings(sign_with="ssh:key"))
    assert {"rebuild", "prove-dists", "access", "check-dists"} <= {output.by for output in pipeline["sign-sums"].needs}
    assert "sign-sums" in {output.by for output in pipeline["draft"].inputs}
