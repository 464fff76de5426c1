"""Only optional channels can be left out of a release."""

from __future__ import annotations

import click
import pytest

from unmoor.cli.skip import OPTIONAL, skippable


@pytest.mark.parametrize(
    "name", ["check-dists", "prove-dists", "dists", "draft", "pypi", "verify", "undraft", "access", "absent", "\x1b[2J"]
)
def test_what_cannot_be_skipped(name: str) -> None:
    """A check, or what a later stage needs, is refused by name, and what can be skipped is listed."""
    with pytest.raises(click.UsageError, match=r"cannot be skipped.*images, prove-testpypi, testpypi") as caught:
        skippable(("testpypi", name))
    assert "\x1b" not in caught.value.message


def test_what_can_be_skipped() -> None:
    """Optional channels, each once, whatever their order was."""
    assert skippable(("testpypi", "images", "testpypi")) == ("images", "testpypi")
    assert skippable(OPTIONAL) == OPTIONAL
