"""What is not committed is not released."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from tests.support.checked import COMMIT, FilesInMemory, GitWithTags

from unmoor.checks.model import CheckContext, CheckState
from unmoor.checks.running import run_checks
from unmoor.checks.uncommitted import CHECK
from unmoor.config.settings import Settings
from unmoor.ports.git import Git


class _Changed(GitWithTags):
    """A checkout with these changes."""

    folder = Path()

    def __init__(self, changed: tuple[str, ...], head: str | None) -> None:
        super().__init__(head=head)
        self._changed = changed

    def changed(self) -> tuple[str, ...]:
        """The files that the test named."""
        return self._changed


@pytest.mark.parametrize(
    ("changed", "head", "staged", "state"),
    [
        ((), COMMIT, False, CheckState.PASSED),
        (("a.py",), COMMIT, False, CheckState.WARNED),
        (("a.py",), COMMIT, True, CheckState.SKIPPED),
        ((), None, False, CheckState.FAILED),
    ],
    ids=["clean", "changed", "staged", "empty"],
)
def test_what_is_committed(changed: tuple[str, ...], head: str | None, *, staged: bool, state: CheckState) -> None:
    """Changes are a warning; without any commit there is nothing to release."""
    context = CheckContext(
        source=FilesInMemory({}), git=cast("Git", _Changed(changed, head)), settings=Settings(), staged=staged
    )
    (result,) = run_checks(context, [CHECK]).results
    assert result.state is state
