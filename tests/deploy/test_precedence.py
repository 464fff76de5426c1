"""What has one place for all versions is deployed by the highest final one alone, unless a person asks for another."""

from __future__ import annotations

import pytest

from unmoor.deploy.precedence import why_left
from unmoor.products import Release


@pytest.mark.parametrize(
    ("prerelease", "highest", "any_version", "words"),
    [
        (False, True, False, ""),
        (False, True, True, ""),
        (True, False, False, "2.0rc1 is a prerelease"),
        (False, False, False, "2.0rc1 is not the highest final version"),
        (True, False, True, ""),
        (False, False, True, ""),
    ],
)
def test_why_it_is_left(*, prerelease: bool, highest: bool, any_version: bool, words: str) -> None:
    """The reason names the version, and the option that deploys it all the same."""
    release = Release(
        repository="o/p",
        project="p",
        tag="v2.0rc1",
        version="2.0rc1",
        commit="a" * 40,
        date=0,
        prerelease=prerelease,
        highest=highest,
    )
    why = why_left(release, any_version=any_version)
    assert why.startswith(words)
    assert bool(why) is bool(words)
    assert ("--any-version" in why) is bool(words)
