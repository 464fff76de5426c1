"""The same laws over a release with images and a service, with a real engine, registry and proxy."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from tests.laws.laws import LAWS, StageRecord, walk_pipeline
from tests.support.engines import TestEngine, engine, require_programs, runnable_image  # noqa: F401 - fixtures
from tests.support.serving_projects import SERVICE, serving_repo
from tests.support.syft import syft_stand_in
from tests.support.unused_services import unused_pipeline

from unmoor.adapters.proxy.own_proxy import find_haproxy
from unmoor.config.images import ImageSettings
from unmoor.config.settings import Settings

NAMES = unused_pipeline(Settings(service={"web": SERVICE}), images=(ImageSettings(),)).names

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def records(
    tmp_path_factory: pytest.TempPathFactory,
    engine: TestEngine,  # noqa: F811 - the fixture
    runnable_image: str,  # noqa: F811 - the fixture
) -> Iterator[dict[str, StageRecord]]:
    """Walk through the pipeline of a project with an image and a service."""
    require_programs("docker-registry")
    if not find_haproxy(os.environ):
        pytest.skip("haproxy is not installed")
    folder = tmp_path_factory.mktemp("laws")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in engine.environ.items():
            patch.setenv(name, value)
        patch.setenv("PATH", str(syft_stand_in(folder)), prepend=os.pathsep)
        with walk_pipeline(folder, serving_repo(folder / "small", runnable_image), registry=True) as seen:
            yield seen


def test_every_stage_is_walked(records: dict[str, StageRecord]) -> None:
    """The release that was walked has the stages of the assembly, all of them, in order."""
    assert tuple(records) == NAMES


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("name", NAMES)
def test_every_stage_keeps_every_law(
    records: dict[str, StageRecord], name: str, law: Callable[[StageRecord], None]
) -> None:
    """Each law says in its docstring what it asks of a stage."""
    law(records[name])
