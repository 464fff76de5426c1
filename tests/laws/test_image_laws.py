"""The same laws over the stages of images, with a real engine and a real registry."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from tests.laws.laws import LAWS, Seen, walked
from tests.support.engines import TestEngine, engine, needs, tiny_image  # noqa: F401 - fixtures
from tests.support.local_release import small

NAMES = ("images", "prove-images", "registry", "draft", "image-tags", "undraft", "verify")
DOCKERFILE = "FROM {base} AS development\nCOPY dist/ /dist/\nFROM development AS production\nUSER 1000\n"

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def voyage(
    tmp_path_factory: pytest.TempPathFactory,
    engine: TestEngine,  # noqa: F811 - the fixture
    tiny_image: str,  # noqa: F811 - the fixture
) -> Iterator[dict[str, Seen]]:
    """Walk through the pipeline of a project with an image."""
    needs("docker-registry")
    folder = tmp_path_factory.mktemp("laws")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in engine.environ.items():
            patch.setenv(name, value)
        with walked(
            folder, small(folder / "small", Dockerfile=DOCKERFILE.format(base=tiny_image)), registry=True
        ) as seen:
            yield seen


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("name", NAMES)
def test_every_stage_of_images_keeps_every_law(voyage: dict[str, Seen], name: str, law: Callable[[Seen], None]) -> None:
    """Each law says in its docstring what it asks of a stage."""
    law(voyage[name])
