"""The same laws over a release with deployments: documentation on a branch, a Space, and an announcement."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from tests.laws.laws import LAWS, StageRecord, the_same_name_with_other_bytes_is_a_conflict, walk_pipeline
from tests.support.documented_projects import ANNOUNCE, documented_repo

NAMES = ("build-docs", "check-docs", "docs", "check-space", "space", "check-announce", "announce")
# A message has no bytes that could be others.
WITHOUT_BYTES = {"announce"}

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, StageRecord]]:
    """Walk through the pipeline of a project with documentation and a Space."""
    folder = tmp_path_factory.mktemp("laws")
    repo = documented_repo(folder / "small", space=True)
    with walk_pipeline(folder, repo, announce=ANNOUNCE, deployments=["hub"]) as seen:
        yield seen


def test_the_deployments_are_walked(records: dict[str, StageRecord]) -> None:
    """The release that was walked has all of them, the last one last."""
    assert set(NAMES) <= set(records)
    assert tuple(records)[-1] == "announce"


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("name", NAMES)
def test_every_deployment_keeps_every_law(
    records: dict[str, StageRecord], name: str, law: Callable[[StageRecord], None]
) -> None:
    """Each law says in its docstring what it asks of a stage."""
    if name not in WITHOUT_BYTES or law is not the_same_name_with_other_bytes_is_a_conflict:
        law(records[name])
