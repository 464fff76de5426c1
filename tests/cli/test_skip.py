"""Only optional stages can be skipped."""

from __future__ import annotations

import click
import pytest

from unmoor.cli.skip import OPTIONAL, skippable


@pytest.mark.parametrize(
    "name", ["check-dists", "prove-dists", "dists", "draft", "pypi", "verify", "undraft", "access", "absent", "\x1b[2J"]
)
def test_other_stages_cannot_be_skipped(name: str) -> None:
    """The error names the stage and lists the optional ones."""
    with pytest.raises(click.UsageError, match=rf"cannot be skipped.*{', '.join(OPTIONAL)}$") as caught:
        skippable(("testpypi", name))
    assert "\x1b" not in caught.value.message


def test_optional_stages_can_be_skipped() -> None:
    """Each stage is returned once, in a fixed order."""
    assert skippable(("testpypi", "images", "testpypi")) == ("images", "testpypi")
    assert skippable(OPTIONAL) == OPTIONAL
