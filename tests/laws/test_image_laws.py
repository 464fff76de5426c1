"""The same laws over the stages of images, with a real engine and a real registry."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from tests.laws.laws import LAWS, StageRecord, walk_pipeline
from tests.support.engines import TestEngine, engine, require_programs, tiny_image  # noqa: F401 - fixtures
from tests.support.local_release import small_repo

NAMES = ("images", "prove-images", "registry", "draft", "image-tags", "undraft", "verify")
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
        with walk_pipeline(
            folder, small_repo(folder / "small", Dockerfile=DOCKERFILE.format(base=tiny_image)), registry=True
        ) as seen:
            yield seen


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("name", NAMES)
def test_every_stage_of_images_keeps_every_law(
    records: dict[str, StageRecord], name: str, law: Callable[[StageRecord], None]
) -> None:
    """Each law says in its docstring what it asks of a stage."""
    law(records[name])
