"""The rulesets of the local forge; each answer is compared with GitHub's OpenAPI description."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.rehearsal.conftest import world_table
from tests.rehearsal.github.contract import ForgeClient

from unmoor.rehearsal.github.rulesets import FREE_PLAN, NEEDS_PLAN
from unmoor.rehearsal.local import LocalWorld

PULL_REQUEST = {
    "type": "pull_request",
    "parameters": {
        "dismiss_stale_reviews_on_push": True,
        "require_code_owner_review": False,
        "require_last_push_approval": False,
        "required_approving_review_count": 0,
        "required_review_thread_resolution": False,
    },
}


def ruleset(name: str = "main", **changes: Any) -> dict[str, Any]:
    """A ruleset of the default branch."""
    return {
        "name": name,
        "target": "branch",
        "enforcement": "active",
        "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
        "rules": [{"type": "deletion"}, PULL_REQUEST],
        **changes,
    }


def for_refs(*include: str) -> dict[str, Any]:
    """The conditions of a ruleset."""
    return {"ref_name": {"include": list(include), "exclude": []}}


@pytest.fixture
def folder(world: LocalWorld) -> Iterator[Path]:
    """The folder of the forge, without rulesets before and after each test."""
    folder = world.folder / "forge"
    folder.mkdir(exist_ok=True)
    yield folder
    for name in ("rulesets.json", FREE_PLAN, "private", "organisation"):
        (folder / name).unlink(missing_ok=True)


@pytest.fixture
def admin(world: LocalWorld, folder: Path) -> ForgeClient:
    """A client with the token of an administrator."""
    del folder
    return ForgeClient(world.addresses["forge"], json.loads((world.folder / "credentials.json").read_text())["admin"])


@pytest.fixture
def writer(world: LocalWorld, folder: Path) -> ForgeClient:
    """A client with a token that may push."""
    del folder
    return ForgeClient(world.addresses["forge"], world_table(world)["forge"]["token"])


@pytest.fixture
def anybody(world: LocalWorld, folder: Path) -> ForgeClient:
    """A client without credentials."""
    del folder
    return ForgeClient(world.addresses["forge"], "")


def test_a_ruleset_is_made_replaced_and_deleted(admin: ForgeClient, anybody: ForgeClient) -> None:
    """An administrator does so; the list has no rules, and anybody can read those of a branch."""
    assert anybody.call("GET", "/rulesets").json() == []
    made = admin.call("POST", "/rulesets", json=ruleset())
    assert made.status_code == 201
    number = made.json()["id"]
    assert [("rules" in each, each["name"]) for each in anybody.call("GET", "/rulesets").json()] == [(False, "main")]
    active = anybody.call("GET", "/rules/branches/main").json()
    assert [(each["type"], each["ruleset_id"], each["ruleset_source_type"]) for each in active] == [
        ("deletion", number, "Repository"),
        ("pull_request", number, "Repository"),
    ]
    assert anybody.call("GET", "/rules/branches/other").json() == []
    replaced = admin.call("PUT", f"/rulesets/{number}", json={"rules": [{"type": "update"}]}).json()
    assert [each["type"] for each in replaced["rules"]] == ["update"]
    assert replaced["conditions"] == for_refs("~DEFAULT_BRANCH")
    assert admin.call("DELETE", f"/rulesets/{number}").status_code == 204
    assert anybody.call("GET", f"/rulesets/{number}").status_code == 404


def test_only_administrators_see_who_may_bypass(admin: ForgeClient, writer: ForgeClient) -> None:
    """To others the answer has no such list, which is not the same as an empty one."""
    actor = {"actor_type": "RepositoryRole", "actor_id": 5, "bypass_mode": "always"}
    number = admin.call("POST", "/rulesets", json=ruleset(bypass_actors=[actor])).json()["id"]
    assert "bypass_actors" not in writer.call("GET", f"/rulesets/{number}").json()
    whole = admin.call("GET", f"/rulesets/{number}").json()
    assert (whole["bypass_actors"], whole["current_user_can_bypass"]) == ([actor], "always")


def test_an_organisation_has_rulesets_of_its_own(admin: ForgeClient, folder: Path) -> None:
    """They count for the branch and are listed with their source; the repository cannot change them."""
    held = {**ruleset("theirs"), "id": 7, "source_type": "Organization"}
    (folder / "rulesets.json").write_text(json.dumps([held]))
    assert [each["ruleset_source"] for each in admin.call("GET", "/rules/branches/main").json()] == ["acme", "acme"]
    assert [each["id"] for each in admin.call("GET", "/rulesets").json()] == [7]
    assert admin.call("GET", "/rulesets?includes_parents=false").json() == []
    assert "bypass_actors" not in admin.call("GET", "/rulesets/7").json()
    assert admin.call("PUT", "/rulesets/7", json={"rules": []}).status_code == 404
    assert admin.call("DELETE", "/rulesets/7").status_code == 404
    assert admin.call("POST", "/rulesets", json=ruleset("theirs")).json()["id"] == 8


@pytest.mark.parametrize(
    ("token", "status"),
    [("", 401), ("forge", 404), ("installation", 403), ("read", 403)],
    ids=["nobody", "a user", "an app", "a reading app"],
)
def test_others_change_nothing(world: LocalWorld, admin: ForgeClient, token: str, status: int) -> None:
    """Users without the permission get a 404, apps a 403, and the rulesets stay."""
    number = admin.call("POST", "/rulesets", json=ruleset()).json()["id"]
    tokens = {"": "", **json.loads((world.folder / "credentials.json").read_text())}
    client = ForgeClient(world.addresses["forge"], tokens[token])
    for method, path in (("POST", "/rulesets"), ("PUT", f"/rulesets/{number}"), ("DELETE", f"/rulesets/{number}")):
        assert client.call(method, path, json=ruleset("other")).status_code == status
    assert [each["name"] for each in admin.call("GET", "/rulesets").json()] == ["main"]


def test_a_free_plan_has_no_rulesets_for_a_private_repository(admin: ForgeClient, folder: Path) -> None:
    """Every route says so, with a 403, to administrators too."""
    for name in (FREE_PLAN, "private"):
        (folder / name).touch()
    for answer in (
        admin.call("GET", "/rulesets"),
        admin.call("GET", "/rules/branches/main"),
        admin.call("POST", "/rulesets", json=ruleset()),
    ):
        assert (answer.status_code, answer.json()["message"]) == (403, NEEDS_PLAN)
    (folder / "private").unlink()
    assert admin.call("GET", "/rulesets").status_code == 200


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "main"}, "Name must be unique"),
        ({"name": None}, "missing name"),
        ({"conditions": for_refs("main")}, "Invalid target patterns: 'main'"),
        ({"target": "tag", "conditions": for_refs("~DEFAULT_BRANCH")}, "Invalid target patterns"),
        ({"enforcement": "evaluate"}, "not supported on this plan"),
        ({"rules": [{"type": "surprise"}]}, "Invalid property /rules/0"),
        ({"rules": [{"type": "pull_request", "parameters": {}}]}, "Invalid property /rules/0"),
        ({"bypass_actors": [{"actor_type": "Team", "actor_id": 1}]}, "must be part of"),
        ({"bypass_actors": [{"actor_type": "OrganizationAdmin", "actor_id": None}]}, "must be part of"),
        (
            {
                "target": "tag",
                "conditions": for_refs("refs/tags/v*"),
                "bypass_actors": [{"actor_type": "RepositoryRole", "actor_id": 5, "bypass_mode": "pull_request"}],
            },
            "only for branch rulesets",
        ),
    ],
    ids=["name", "none", "ref", "tag", "evaluate", "rule", "parameters", "team", "owners", "mode"],
)
def test_a_ruleset_that_cannot_be_is_refused(admin: ForgeClient, changes: dict[str, Any], words: str) -> None:
    """GitHub says what is wrong with it, and makes none."""
    assert admin.call("POST", "/rulesets", json=ruleset()).status_code == 201
    answer = admin.call("POST", "/rulesets", json={**ruleset("another"), **changes})
    assert answer.status_code == 422
    assert words in json.dumps(answer.json())
    assert [each["name"] for each in admin.call("GET", "/rulesets").json()] == ["main"]


def test_an_administrator_is_seen_in_the_repository(admin: ForgeClient, writer: ForgeClient) -> None:
    """The permissions of the token say so."""
    assert [who.call("GET", "").json()["permissions"]["admin"] for who in (admin, writer)] == [True, False]
