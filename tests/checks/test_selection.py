"""Which checks run."""

from __future__ import annotations

import pytest

from unmoor.checks.model import CheckGroup
from unmoor.checks.registry import CHECKS
from unmoor.checks.selection import select_checks
from unmoor.config.checks import CheckSettings, IgnoredCheck
from unmoor.errors import ConfigError

FAST = {CheckGroup.FAST}
NOTHING = CheckSettings()
IGNORING = CheckSettings(ignore=(IgnoredCheck(id="pinned", reason="known"),))


def test_the_asked_groups_run() -> None:
    """Without more, the fast ones."""
    chosen = select_checks(CHECKS, NOTHING, groups=FAST).checks
    assert {each.group for each in chosen} == FAST
    assert [each for each in CHECKS if each.group is CheckGroup.FAST] == list(chosen)


def test_what_is_selected_runs_alone() -> None:
    """An id or a group, whatever the groups that were asked for."""
    assert [each.id for each in select_checks(CHECKS, NOTHING, groups=(), select=["version"]).checks] == ["version"]
    assert select_checks(CHECKS, NOTHING, groups=(), select=["fast"]) == select_checks(CHECKS, NOTHING, groups=FAST)


def test_what_is_ignored_has_a_reason() -> None:
    """The settings give one; an option is one. What is selected by its id is not ignored by the settings."""
    assert select_checks(CHECKS, IGNORING, groups=FAST, ignore=["version"]).ignored == {
        "pinned": "known",
        "version": "--ignore",
    }
    assert select_checks(CHECKS, IGNORING, groups=FAST, select=["pinned"]).ignored == {}


@pytest.mark.parametrize(
    ("settings", "select", "ignore", "message"),
    [
        (NOTHING, ["versoin"], [], "--select: there is no check 'versoin'; did you mean 'version'?"),
        (NOTHING, [], ["xyz"], "--ignore: there is no check 'xyz'"),
        (
            CheckSettings(ignore=(IgnoredCheck(id="vers", reason="x"),)),
            [],
            [],
            "tool.unmoor.checks.ignore, item 1: there is no check 'vers'",
        ),
    ],
    ids=["select", "ignore", "settings"],
)
def test_an_unknown_id_is_an_error(settings: CheckSettings, select: list[str], ignore: list[str], message: str) -> None:
    """A misspelt id would ignore nothing, or run nothing, silently."""
    with pytest.raises(ConfigError) as caught:
        select_checks(CHECKS, settings, groups=FAST, select=select, ignore=ignore)
    assert str(caught.value).startswith(message)
