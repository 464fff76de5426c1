"""What a person does elsewhere: each item with the values to type and the check that looks at it."""

from __future__ import annotations

import pytest
from tests.scaffold.test_publish_workflows import UPLOADS, workflow
from tests.support.proposals import FILES, PROJECT, proposal

from unmoor.scaffold.checklist import ChecklistItem

CHECKS = {
    "workflow-permissions",
    "publisher-index",
    "publisher-staging",
    "environments",
    "branch-rules",
    "tag-rules",
    "immutable-releases",
}


def items(settings: str = "", repository: str = "acme/demo", **files: str) -> dict[str, ChecklistItem]:
    """The items by their titles."""
    texts = {**FILES, "pyproject.toml": f"{PROJECT}{settings}", **files}
    return {each.title: each for each in proposal(texts, repository=repository).checklist}


def test_every_item_names_its_check_and_values() -> None:
    """What is typed is what the workflow has."""
    found = items()
    assert {each.check for each in found.values()} == CHECKS
    publisher = found["Trust the workflow at the index (PyPI)"]
    assert dict(publisher.values) == {
        "PyPI Project Name (pending publisher only)": "demo",
        "Owner": "acme",
        "Repository name": "demo",
        "Workflow name": "release.yml",
        "Environment name": "pypi",
    }
    assert "expires after 30 days" in publisher.note
    environment = dict(found["Make the environment pypi, which a person approves"].values)
    assert environment["Deployment branches and tags"].endswith("only the tag rules v[0-9]* and [0-9]*")


def test_without_a_remote_there_are_words_to_replace() -> None:
    """Nobody knows the repository yet."""
    found = items(repository="")
    assert dict(found["Trust the workflow at the index (PyPI)"].values)["Owner"] == "OWNER"


@pytest.mark.parametrize(
    ("settings", "title", "gone"),
    [
        ('[tool.unmoor]\ntestpypi = "off"\n', "", "Trust the workflow at the staging index (TestPyPI)"),
        (
            '[tool.unmoor]\ntrusted-publishing = "never"\n',
            "Give the environment testpypi the token of its index",
            "Trust the workflow at the index (PyPI)",
        ),
        (
            '[[tool.unmoor.image]]\nmirrors = ["docker.io/acme/demo"]\ndockerfile = "Dockerfile"\n',
            "Give the workflow a login to docker.io",
            "",
        ),
    ],
    ids=["no staging", "tokens", "a mirror"],
)
def test_settings_decide_what_is_needed(settings: str, title: str, gone: str) -> None:
    """Nothing is asked for that the workflow does not use."""
    found = items(settings)
    assert not title or title in found
    assert gone not in found


def test_what_published_before_is_named() -> None:
    """A publisher that is no longer needed can go."""
    old = workflow("- run: pytest", on="[push]") + "  up:\n    steps:\n      - run: uv publish\n"
    moved = items(**{".github/workflows/ci.yml": old})["Trust the workflow at the index (PyPI)"]
    assert "remove the publisher of ci.yml" in moved.note


@pytest.mark.parametrize(
    ("step", "job", "note"),
    [
        (UPLOADS["uv"], "", "no environment"),
        (UPLOADS["uv"], "    environment: pypi\n", "this file name and environment"),
        (
            "- run: twine upload *\n        env: {TWINE_PASSWORD: '${{ secrets.PYPI_TOKEN }}'}",
            "",
            "delete the secrets PYPI_TOKEN",
        ),
    ],
    ids=["no environment", "environment", "token"],
)
def test_a_publisher_that_stays_is_named(step: str, job: str, note: str) -> None:
    """What was there before decides what a person has to do at the index."""
    found = items(**{".github/workflows/release.yml": workflow(step, job=job)})
    assert note in found["Trust the workflow at the index (PyPI)"].note
