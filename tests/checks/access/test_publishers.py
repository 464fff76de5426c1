"""The publishers at the indexes, as far as anybody can see them."""

from __future__ import annotations

import pytest
from tests.support.access_checks import FakeIndex, Surroundings

from unmoor.checks.access.publishers import INDEX, STAGING
from unmoor.errors import Unknown
from unmoor.ports.index import ProjectStatus, Publisher
from unmoor.util.values import replace

OURS = Publisher(kind="GitHub", repository="acme/demo", workflow="release.yml", environment="pypi")
OLD = replace(OURS, workflow="publish.yml", environment="")


@pytest.mark.parametrize(
    ("index", "state", "words"),
    [
        (FakeIndex(uploaded=(OURS,)), "passed", "1.2 was uploaded by that publisher"),
        (FakeIndex(uploaded=(replace(OURS, environment=""),)), "passed", ""),
        (FakeIndex(uploaded=(OLD, OURS)), "passed", ""),
        (FakeIndex(uploaded=(OLD,)), "unknown", "by publish.yml of acme/demo; whether it takes files of release.yml"),
        (FakeIndex(uploaded=(replace(OURS, environment="other"),)), "unknown", "environment other"),
        (FakeIndex(uploaded=(replace(OURS, repository="acme/fork"),)), "unknown", "acme/fork"),
        (FakeIndex(), "unknown", "shows its publishers only to the project's owners"),
        (FakeIndex(released=()), "unknown", "shows its publishers only to the project's owners"),
        (FakeIndex(there=None), "unknown", "expires after 30 days"),
        (FakeIndex(there=Unknown("no answer")), "unknown", "no answer"),
        (FakeIndex(there=ProjectStatus(marker="archived")), "failed", "is archived on pypi"),
        (FakeIndex(there=ProjectStatus(marker="quarantined")), "failed", "is quarantined on pypi"),
    ],
    ids=[
        *("ours", "no environment", "both", "another file", "another environment", "another repository", "no words"),
        *("no version", "pending", "lost", "archived", "quarantined"),
    ],
)
def test_who_uploaded_the_newest_release_is_compared(index: FakeIndex, state: str, words: str) -> None:
    """If it was another publisher, or the index does not say, a person has to look: another one may be there too."""
    found, said = Surroundings(index=index).words(INDEX)
    assert found == state
    assert words in said


def test_a_person_gets_the_values_to_compare() -> None:
    """The four of the page, for the index that has no answer."""
    result = Surroundings().result(STAGING)
    assert result.next_step.ids == ("look-at-publishers",)
    for value in ("testpypi", "acme/demo", "workflow release.yml", "environment testpypi"):
        assert value in result.next_step


@pytest.mark.parametrize(
    ("at", "state", "words"),
    [
        (Surroundings(settings='[tool.unmoor]\ntestpypi = "off"\n'), "skipped", "testpypi"),
        (Surroundings(staging=None), "skipped", "no staging index"),
        (Surroundings(settings='[tool.unmoor]\ntrusted-publishing = "never"\n'), "unknown", "which nobody can read"),
    ],
    ids=["off", "none", "a token"],
)
def test_without_publishers_there_is_nothing_to_compare(at: Surroundings, state: str, words: str) -> None:
    """A stored token cannot be read either."""
    found, said = at.words(STAGING)
    assert found == state
    assert words in said
