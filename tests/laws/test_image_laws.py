"""The same laws over a release with images, with a real engine and a real registry."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from tests.laws.laws import LAWS, StageRecord, walk_pipeline
from tests.support.engines import TestEngine, engine, require_programs, tiny_image  # noqa: F401 - fixtures
from tests.support.local_release import small_repo
from tests.support.syft import syft_stand_in
from tests.support.unused_services import unused_pipeline

from unmoor.config.images import ImageSettings

NAMES = unused_pipeline(images=(ImageSettings(),)).names
DOCKERFILE = "FROM {base} AS development\nCOPY dist/ /dist/\nFROM development AS production\nUSER 1000\n"

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def records(
    tmp_path_factory: pytest.TempPathFactory,
    engine: TestEngine,  # noqa: F811 - the fixture
    tiny_image: str,  # noqa: F811 - the fixture
) -> Iterator[dict[str, StageRecord]]:
    """Walk through the pipeline of a project with an image."""
    require_programs("docker-registry")
    folder = tmp_path_factory.mktemp("laws")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in engine.environ.items():
            patch.setenv(name, value)
        patch.setenv("PATH", str(syft_stand_in(folder)), prepend=os.pathsep)
        with walk_pipeline(
            folder, small_repo(folder / "small", Dockerfile=DOCKERFILE.format(base=tiny_image)), registry=True
        ) as seen:
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
