"""One suite over every stage of the real assembly: a new stage gets these tests by being in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from tests.laws.laws import LAWS, StageRecord, walk_pipeline
from tests.support.local_release import small_repo
from tests.support.unused_services import unused_pipeline

NAMES = unused_pipeline().names

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, StageRecord]]:
    """Walk through the pipeline of a project without images."""
    folder = tmp_path_factory.mktemp("laws")
    with walk_pipeline(folder, small_repo(folder / "small")) as seen:
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
