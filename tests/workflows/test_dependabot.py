"""dependabot.yml: what is updated, and when."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from ruamel.yaml import YAML

from unmoor.config.settings import Settings
from unmoor.config.workflows import WorkflowSettings
from unmoor.workflows.dependabot import dependabot_text
from unmoor.workflows.facts import WorkflowFacts

ACTIONS = ("github-actions", "/")
TOOL = ("pip", "/.github/unmoor")


def _updates(facts: WorkflowFacts) -> Any:
    return YAML(typ="safe", pure=True).load(dependabot_text(facts))["updates"]


def _facts(
    *, path: str = "", docker: tuple[str, ...] = (), uses_uv: bool = False, tool: Literal["index", "checkout"] = "index"
) -> WorkflowFacts:
    settings = Settings(workflows=WorkflowSettings(tool=tool))
    return WorkflowFacts(settings=settings, project="small", path=path, docker=docker, uses_uv=uses_uv)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (_facts(), [ACTIONS, ("pip", "/"), TOOL]),
        (_facts(uses_uv=True), [ACTIONS, ("uv", "/"), TOOL]),
        (_facts(path="packages/a"), [ACTIONS, ("pip", "/packages/a"), TOOL]),
        (_facts(docker=("/",)), [ACTIONS, ("pip", "/"), ("docker", "/"), TOOL]),
        (_facts(tool="checkout"), [ACTIONS, ("pip", "/")]),
    ],
)
def test_everything_that_is_pinned_is_updated(facts: WorkflowFacts, expected: list[tuple[str, str]]) -> None:
    """Actions, the project's dependencies, base images, and unmoor itself."""
    assert [(each["package-ecosystem"], each["directory"]) for each in _updates(facts)] == expected


def test_several_folders_of_images_are_one_entry() -> None:
    """Two entries for one ecosystem and folder are an error of Dependabot."""
    (docker,) = [each for each in _updates(_facts(docker=("/", "/web"))) if each["package-ecosystem"] == "docker"]
    assert docker["directories"] == ["/", "/web"]


def test_updates_wait_and_come_together() -> None:
    """What was published with bad intent is mostly found in days, and one pull request a week is read."""
    for each in _updates(_facts(docker=("/",))):
        assert each["schedule"] == {"interval": "weekly"}
        assert each["cooldown"] == {"default-days": 7}
        assert [group["patterns"] for group in each["groups"].values()] == [["*"]]


def test_the_file_says_whose_it_is() -> None:
    """Its first line marks it, as in the workflows."""
    assert dependabot_text(_facts()).startswith('# Written by "unmoor workflows write".\n')
