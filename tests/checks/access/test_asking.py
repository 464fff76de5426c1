"""Checks of access without a repository on the forge, and without a token."""

from __future__ import annotations

import pytest
from tests.support.access_checks import PYPROJECT, Surroundings
from tests.support.checked import context_of
from tests.support.repository_rules import FakeRules

from unmoor.checks.access.settings import IMMUTABLE_RELEASES, WORKFLOW_PERMISSIONS
from unmoor.checks.model import CheckGroup, CheckState
from unmoor.checks.registry import CHECKS
from unmoor.checks.running import run_checks
from unmoor.errors import ConfigError
from unmoor.ports.services import Services

ACCESS = [each for each in CHECKS if each.group is CheckGroup.ACCESS]


def test_every_item_of_the_checklist_has_its_check() -> None:
    """The ids are those that `unmoor init` names."""
    assert [each.id for each in ACCESS] == [
        *("token", "workflow-permissions", "environments", "publisher-index", "publisher-staging"),
        *("branch-rules", "tag-rules", "immutable-releases"),
    ]


@pytest.mark.parametrize("repository", ["", "acme"])
def test_without_a_repository_nothing_is_known(repository: str) -> None:
    """No remote, or one on another forge: each check says so, and none passes. A wrong name is a fault."""

    def services() -> Services:
        raise ConfigError("it is not 'owner/name'")

    context = context_of({"pyproject.toml": PYPROJECT}, services=services, repository=lambda: repository)
    report = run_checks(context, ACCESS)
    expected = CheckState.FAILED if repository else CheckState.UNKNOWN
    for each in report.results:
        assert each.state in {expected, CheckState.WARNED if repository else expected}
        assert repository or "there is no remote on GitHub" in each.why
        assert repository or each.next_step.ids == ("name-repository",)


@pytest.mark.parametrize("check", [WORKFLOW_PERMISSIONS, IMMUTABLE_RELEASES], ids=lambda each: each.id)
def test_without_a_token_what_administrators_see_is_unknown(check: object) -> None:
    """Nothing is asked, and the message says which token it takes."""
    result = Surroundings(rules=FakeRules(token=False)).result(next(each for each in ACCESS if each is check))
    assert (result.state, result.next_step.ids) == (CheckState.UNKNOWN, ("grant-administration",))
