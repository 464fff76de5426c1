"""The environments of the jobs that publish."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.access_checks import Surroundings
from tests.support.repository_rules import TAGS, FakeRules

from unmoor.checks.access.environments import CHECK
from unmoor.errors import Denied
from unmoor.ports.repository_rules import DeploymentEnvironment, DeploymentPolicy
from unmoor.util.values import replace

POLICIES = tuple(DeploymentPolicy(name=each, type="tag") for each in TAGS)
FINAL = DeploymentEnvironment(name="pypi", reviewers=1, policies=POLICIES)
STAGED = DeploymentEnvironment(name="testpypi", reviewers=0, policies=POLICIES)
MAIN = DeploymentPolicy(name="main", type="branch")


def of(**changes: Any) -> tuple[DeploymentEnvironment, ...]:
    """Both environments, with changes to the last one."""
    return (STAGED, replace(FINAL, **changes))


@pytest.mark.parametrize(
    ("there", "state", "words"),
    [
        (of(), "passed", ""),
        (of(policies=(DeploymentPolicy(name="*", type="tag"),)), "passed", ""),
        ((STAGED,), "failed", "pypi: there is no such environment"),
        ((FINAL,), "failed", "testpypi: there is no such environment"),
        (of(policies=None), "failed", "any branch may use it"),
        (of(policies=None, protected_only=True), "failed", "only protected branches"),
        (of(policies=(*POLICIES, MAIN)), "failed", "branches may use it, and so publish: main"),
        (of(policies=()), "failed", "no rule lets the tags v[0-9]*, [0-9]* use it"),
        (of(policies=POLICIES[:1]), "warned", "tags of the form [0-9]* may not use it"),
        (of(reviewers=0), "warned", "nobody has to approve its jobs"),
        (of(name="PyPI"), "passed", ""),
        (Denied("hidden"), "unknown", "hidden"),
    ],
    ids=[
        *("right", "wider", "no final", "no staging", "any", "protected", "a branch", "no tags", "one tag"),
        *("nobody", "case", "hidden"),
    ],
)
def test_only_release_tags_may_use_them(
    there: tuple[DeploymentEnvironment, ...] | Denied, state: str, words: str
) -> None:
    """A job of a branch would get the identity that the index trusts."""
    found, said = Surroundings(rules=FakeRules(there=there)).words(CHECK)
    assert found == state
    assert words in said


def test_the_settings_name_them() -> None:
    """Without a staging index there is one, with the name of the settings."""
    at = Surroundings(
        rules=FakeRules(there=(replace(FINAL, name="release"),)),
        settings='[tool.unmoor]\ntestpypi = "off"\n[tool.unmoor.workflows]\nenvironment = "release"\n',
    )
    assert at.words(CHECK)[0] == "passed"
