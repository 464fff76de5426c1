"""One signed release for all tests here."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.support.published import PublishedRelease, publish


@pytest.fixture(scope="package")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PublishedRelease]:
    """The release as its workflow published it."""
    with publish(tmp_path_factory.mktemp("published")) as release:
        yield release


@pytest.fixture
def released(signed: PublishedRelease) -> PublishedRelease:
    """A copy that the test may change."""
    return signed.copy()
