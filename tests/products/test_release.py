"""The times and names of a release."""

from __future__ import annotations

import pytest
from tests.support.sample_values import sample_release

from unmoor.dists.source_tree import build_environment
from unmoor.util.values import replace

FIRST = 315_532_800  # 1980-01-01, where the times of ZIP files begin


@pytest.mark.parametrize(
    ("date", "built"), [(0, FIRST), (1, FIRST), (FIRST - 1, FIRST), (FIRST, FIRST), (1_700_000_000, 1_700_000_000)]
)
def test_build_date(date: int, built: int) -> None:
    """Built files have the time of the commit, or the earliest that a wheel can hold; the release keeps its own."""
    release = replace(sample_release(), date=date)
    assert release.build_date == built
    assert release.date == date
    assert build_environment(release, [])["SOURCE_DATE_EPOCH"] == str(built)
