"""A commit that is not released has a version that no release has, and that sorts where the commit belongs."""

from __future__ import annotations

import pytest
from packaging.version import Version

from unmoor.versioning import pep440
from unmoor.versioning.development import development_version

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("written", "released", "version"),
    [
        ("1.2.0", (), "1.2.0.dev0+g0123456"),
        ("1.2.0", ("1.1.0",), "1.2.0.dev0+g0123456"),
        ("1.2.0", ("1.2",), "1.2.0+g0123456"),
        ("1.2rc1", ("1.1",), "1.2rc1.dev0+g0123456"),
        ("1.2rc1", ("1.2rc1",), "1.2rc1+g0123456"),
        ("1.2.post1", ("1.2",), "1.2.post1.dev0+g0123456"),
        ("1.3.0.dev0", ("1.2",), "1.3.0.dev0"),
        ("1.2.1.dev3+gabcdef1.d20260101", ("1.2",), "1.2.1.dev3+gabcdef1.d20260101"),
    ],
)
def test_the_version_of_a_commit(written: str, released: tuple[str, ...], version: str) -> None:
    """After a release of the version it comes later, else earlier; what is never released stays as it is written."""
    releases = [Version(each) for each in released]
    found = development_version(Version(written), COMMIT, releases)
    assert str(found) == version
    assert pep440.why_unreleasable(found)
    if found != Version(written):
        assert (found > Version(written)) == (Version(written) in releases)
