"""Settings of the repository that only administrators see."""

from __future__ import annotations

import pytest
from tests.support.access_checks import Surroundings
from tests.support.repository_rules import READ_ONLY, FakeRules

from unmoor.checks.access.settings import IMMUTABLE_RELEASES, WORKFLOW_PERMISSIONS
from unmoor.errors import Denied
from unmoor.ports.repository_rules import WorkflowPermissions
from unmoor.util.values import replace

HIDDEN = Denied("the forge forbids it")


@pytest.mark.parametrize(
    ("permissions", "state", "words"),
    [
        (READ_ONLY, "passed", ""),
        (replace(READ_ONLY, default="write"), "warned", "may write to the repository"),
        (replace(READ_ONLY, may_approve=True), "warned", "may approve pull requests"),
        (HIDDEN, "unknown", "forbids it"),
    ],
    ids=["read", "write", "approve", "hidden"],
)
def test_workflows_only_read_by_default(permissions: WorkflowPermissions | Denied, state: str, words: str) -> None:
    """More than that is a warning, and what is hidden is no pass."""
    found, said = Surroundings(rules=FakeRules(permissions=permissions)).words(WORKFLOW_PERMISSIONS)
    assert found == state
    assert words in said


@pytest.mark.parametrize(
    ("immutable", "state"), [(True, "passed"), (False, "warned"), (HIDDEN, "unknown")], ids=["on", "off", "hidden"]
)
def test_releases_are_immutable(*, immutable: bool | Denied, state: str) -> None:
    """If they are not, that is a warning, and what is hidden is no pass."""
    assert Surroundings(rules=FakeRules(immutable=immutable)).words(IMMUTABLE_RELEASES)[0] == state
