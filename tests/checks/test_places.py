"""Places of problems."""

from __future__ import annotations

import pytest

from unmoor.checks.places import is_path


@pytest.mark.parametrize("where", ["pyproject.toml", "src/a b.py", ".github/workflows/ci.yml", "docs/x"])
def test_a_path(where: str) -> None:
    """What may be a file of the repository is shown there."""
    assert is_path(where)


@pytest.mark.parametrize("where", ["", "/etc/x", "https://x.test/a", "the forge", "../x.py"])
def test_no_path(where: str) -> None:
    """An address, a path of the machine or a word is none."""
    assert not is_path(where)
