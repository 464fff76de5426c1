"""The settings of the local forge; each answer is compared with GitHub's OpenAPI description."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.rehearsal.github.contract import ForgeClient

from unmoor.rehearsal.local import LocalWorld

SETTINGS = {
    "writers": ["acme", "other"],
    "checks": ["all-checks", "lint"],
    "signed": True,
    "protected": True,
    "environments": [
        {"name": "testpypi"},
        {"name": "pypi", "reviewers": ["acme"], "policies": [{"name": "v*", "type": "tag"}, {"name": "main"}]},
        {"name": "docs", "protected_branches": True},
    ],
    "workflow_permissions": "write",
    "workflows_approve": True,
}


@pytest.fixture
def folder(world: LocalWorld) -> Iterator[Path]:
    """The folder of the forge, with these settings during the test."""
    folder = world.folder / "forge"
    folder.mkdir(exist_ok=True)
    (folder / "settings.json").write_text(json.dumps(SETTINGS))
    yield folder
    for name in ("settings.json", "immutable"):
        (folder / name).unlink(missing_ok=True)


@pytest.fixture
def client(world: LocalWorld, folder: Path) -> Callable[[str], ForgeClient]:
    """A client with the token of that name, without one for an empty name."""
    del folder
    tokens = {"": "", **json.loads((world.folder / "credentials.json").read_text())}
    return lambda who: ForgeClient(world.addresses["forge"], tokens[who])


def test_a_branch_and_its_commits(client: Callable[[str], ForgeClient]) -> None:
    """They are those of the remote; whether they are protected and signed is in the file."""
    anybody = client("")
    branch = anybody.call("GET", "/branches/main").json()
    commits = anybody.call("GET", "/commits?sha=main").json()
    assert branch["protected"] is True
    assert branch["commit"]["sha"] == commits[0]["sha"]
    assert {each["commit"]["verification"]["verified"] for each in commits} == {True}
    assert anybody.call("GET", "/commits").json() == commits
    assert anybody.call("GET", "/branches/none").status_code == 404
    assert anybody.call("GET", "/commits?sha=none").status_code == 404


def test_checks_that_reported(client: Callable[[str], ForgeClient]) -> None:
    """Every commit has those of the file; the query takes one of them."""
    anybody = client("")
    sha = anybody.call("GET", "/commits").json()[0]["sha"]
    found = anybody.call("GET", f"/commits/{sha}/check-runs").json()
    assert [each["name"] for each in found["check_runs"]] == SETTINGS["checks"]
    one = anybody.call("GET", f"/commits/{sha}/check-runs?check_name=lint").json()
    assert [(each["name"], each["app"]["slug"]) for each in one["check_runs"]] == [("lint", "github-actions")]


@pytest.mark.parametrize(("who", "status"), [("", 401), ("read", 403), ("forge", 200), ("admin", 200)])
def test_those_who_may_push_see_each_other(client: Callable[[str], ForgeClient], who: str, status: int) -> None:
    """Others get a 401 or a 403."""
    answer = client(who).call("GET", "/collaborators?affiliation=all&permission=push")
    assert answer.status_code == status
    if status == 200:
        assert [each["login"] for each in answer.json()] == SETTINGS["writers"]


def test_environments_and_who_may_use_them(client: Callable[[str], ForgeClient]) -> None:
    """Whoever can read the repository sees them; one without patterns has no list of them."""
    anybody = client("")
    found = anybody.call("GET", "/environments").json()
    policies = {each["name"]: each["deployment_branch_policy"] for each in found["environments"]}
    assert (found["total_count"], policies["testpypi"]) == (3, None)
    assert policies["docs"] == {"protected_branches": True, "custom_branch_policies": False}
    listed = anybody.call("GET", "/environments/pypi/deployment-branch-policies").json()
    assert [(each["name"], each["type"]) for each in listed["branch_policies"]] == [("v*", "tag"), ("main", "branch")]
    for name in ("testpypi", "none"):
        assert anybody.call("GET", f"/environments/{name}/deployment-branch-policies").status_code == 404


@pytest.mark.parametrize(
    ("path", "statuses"),
    [
        ("/immutable-releases", {"": 401, "read": 403, "forge": 404, "admin": 404}),
        ("/actions/permissions/workflow", {"": 401, "read": 403, "forge": 403, "admin": 200}),
    ],
    ids=["immutable", "permissions"],
)
def test_administrators_alone_see_settings(
    client: Callable[[str], ForgeClient], path: str, statuses: dict[str, int]
) -> None:
    """A release setting that is off is a 404, as for those who may not see it."""
    assert {who: client(who).call("GET", path).status_code for who in statuses} == statuses


def test_settings_of_administrators(client: Callable[[str], ForgeClient], folder: Path) -> None:
    """The control file makes releases immutable, the file has what workflows may do."""
    (folder / "immutable").touch()
    expected: dict[str, Any] = {"default_workflow_permissions": "write", "can_approve_pull_request_reviews": True}
    assert client("admin").call("GET", "/immutable-releases").json() == {"enabled": True, "enforced_by_owner": False}
    assert client("admin").call("GET", "/actions/permissions/workflow").json() == expected
