"""The assembly: which stages there are, and what they are given, by the settings."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from unmoor.artifacts.run_dir import RunFolder
from unmoor.assembly import assemble
from unmoor.config.settings import Settings
from unmoor.core.pipeline import Pipeline
from unmoor.core.stage import Reach
from unmoor.ports.services import Services
from unmoor.release_request import ReleaseRequest
from unmoor.stages.access import ProveAccess

STAGED = {"testpypi", "prove-testpypi"}


def assembled(settings: Settings, *, skipped: tuple[str, ...] = ()) -> Pipeline:
    """Put a pipeline together over powers that are never used."""
    nothing = cast("Any", SimpleNamespace(name="pypi", address="the forge", under=lambda _: None))
    can = Services(
        **dict.fromkeys(("git", "shell", "clock", "backend", "environments", "index", "forge", "engine"), nothing),
        staging=cast("Any", SimpleNamespace(name="testpypi")),
        registry=lambda _: nothing,
        packages=lambda _: None,
    )
    request = ReleaseRequest(
        tag="v1.0",
        named=True,
        repository="owner/name",
        settings=settings,
        folder=RunFolder(Path(".unmoor/v1.0")),
        ceiling=Reach.FINAL,
        skipped=skipped,
    )
    return assemble(request, can)


def test_nothing_is_public_before_the_index_has_it() -> None:
    """What cannot be taken back begins with the index; the page follows it, and the draft comes before both."""
    pipeline = assembled(Settings())
    stages = [pipeline[name] for name in pipeline.names]
    final = [stage.name for stage in stages if stage.reach is Reach.FINAL]
    assert final == ["pypi", "undraft"]
    waits = {name: {promise.by for promise in pipeline[name].after} for name in final}
    assert {"access", "check-dists", "prove-dists", "draft", "testpypi", "prove-testpypi"} <= waits["pypi"]
    assert "pypi" in waits["undraft"]


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
    pipeline = assembled(settings, skipped=skipped)
    assert STAGED & set(pipeline.names) == staged
    access = pipeline["access"]
    assert isinstance(access, ProveAccess)
    assert (access.staging is not None) is bool(staged)
    assert access.advisory_staging is (settings.testpypi == "advisory")
