"""``unmoor protect`` on the GitHub of a local world: what it shows, what it writes, and what it refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.protected_projects import PYPROJECT, Protected, make_project, start_world

from unmoor.cli.app import run
from unmoor.errors import ConfigError, Denied, Refused, Unknown
from unmoor.rehearsal.local import LocalWorld

OWN = ["unmoor: default branch", "unmoor: who creates release tags", "unmoor: release tags"]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorld]:
    """One world for this module."""
    with start_world(tmp_path_factory.mktemp("protect")) as running:
        yield running


@pytest.fixture
def at(world: LocalWorld, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Protected]:
    """A project on a forge without rules."""
    with make_project(world, tmp_path, capsys) as made:
        yield made


def test_it_shows_what_is_missing_and_writes_nothing(at: Protected) -> None:
    """By default: a table on stdout, and what to know on stderr."""
    code, out, err = at.protect()
    assert code == 0
    assert re.search(r"branch main +add +pull request \(0 approvals, stale reviews dismissed\)", out)
    assert re.search(r"tags v\[0-9\]\*, \[0-9\]\* +add +nobody moves it", out)
    assert "would write 6 rules in 3 rulesets; to write, add --apply" in err
    assert "note: all-checks has not reported on main yet" in err
    assert "then: cut can no longer push to main" in err
    assert at.rulesets == []


def test_it_writes_what_is_missing_once(at: Protected) -> None:
    """The second run finds it there; a check that reports later is added by the next one."""
    code, out, err = at.protect("--apply")
    assert (code, [each["name"] for each in at.rulesets]) == (0, OWN)
    assert " add " not in out
    assert err.count("created the ruleset") == 3
    before = at.rulesets
    assert "nothing to change" in at.protect("--apply")[2]
    assert at.rulesets == before
    at.put("settings.json", {"checks": ["all-checks"], "signed": True, "writers": ["acme", "b"]})
    assert "changed the ruleset" in at.protect("--apply")[2]
    rules = {each["type"]: each.get("parameters") for each in at.rulesets[0]["rules"]}
    assert rules["pull_request"]["required_approving_review_count"] == 1
    assert rules["required_status_checks"]["required_status_checks"] == [
        {"context": "all-checks", "integration_id": 15368}
    ]
    assert "required_signatures" in rules


@pytest.mark.parametrize("written", [0, 1, 2])
def test_what_a_killed_run_left_is_completed(at: Protected, written: int) -> None:
    """Each ruleset is complete by itself, so the same command writes the others, and those stay as they are."""
    at.protect("--apply")
    whole = at.rulesets
    at.put("rulesets.json", whole[:written])
    code, _, err = at.protect("--apply")
    assert (code, at.rulesets) == (0, whole)
    assert err.count("created the ruleset") == len(OWN) - written


def test_stricter_rules_stay(at: Protected) -> None:
    """Whoever set them: a repository that has all of it gets nothing, and nothing of it changes."""
    parameters = {
        "dismiss_stale_reviews_on_push": True,
        "require_code_owner_review": True,
        "require_last_push_approval": True,
        "required_approving_review_count": 2,
        "required_review_thread_resolution": True,
    }
    branch = {
        "id": 1,
        "name": "baseline",
        "source_type": "Organization",
        "conditions": {"ref_name": {"include": ["~ALL"]}},
        "rules": [
            {"type": "deletion"},
            {"type": "non_fast_forward"},
            {"type": "pull_request", "parameters": parameters},
        ],
    }
    tags = {
        "id": 2,
        "name": "tags",
        "target": "tag",
        "conditions": {"ref_name": {"include": ["~ALL"]}},
        "rules": [{"type": "creation"}, {"type": "update"}, {"type": "deletion"}],
    }
    at.put("rulesets.json", [branch, tags])
    before = at.rulesets
    code, out, err = at.protect("--apply")
    assert (code, at.rulesets) == (0, before)
    assert 'ruleset "baseline" of the organisation acme' in out
    assert "nothing to change" in err
    _, out, err = at.protect(who="forge")
    assert re.search(r"tags \S+ \S+ +unknown +nobody moves it", out)
    assert "only an administrator's token sees" in err


def test_the_document_has_all_of_it(at: Protected) -> None:
    """With --json the result is on stdout, and what to know is in it."""
    code, out, _ = at.protect("--json", "--signed-commits", "--approvals", "2")
    document = json.loads(out)
    assert (code, document["repository"], document["branch"], document["applied"]) == (0, "acme/demo", "main", False)
    assert {each["state"] for each in document["rules"]} == {"add"}
    assert "required_signatures" in {each["type"] for each in document["rules"]}
    assert [each["name"] for each in document["rulesets"]] == OWN
    assert document["notes"]
    assert document["effects"]


def test_tags_of_a_project_have_its_prefix(at: Protected) -> None:
    """The settings of the last commit say what a release tag begins with."""
    at.repo.commit({"pyproject.toml": f'{PYPROJECT}[tool.unmoor]\ntag-prefix = "pkg-"\n'})
    assert "tags pkg-v[0-9]*, pkg-[0-9]*" in at.protect()[1]


@pytest.mark.parametrize(
    ("who", "code", "words"),
    [
        ("", Denied.exit_code, "there is no token"),
        ("forge", Denied.exit_code, "does not administer the repository"),
        ("installation", Denied.exit_code, "does not administer the repository"),
    ],
    ids=["no token", "a writer", "a workflow"],
)
def test_without_the_permission_nothing_is_written(at: Protected, who: str, code: int, words: str) -> None:
    """The message says which token can; the comparison works without it."""
    assert at.protect(who=who)[0] == 0
    found, _, err = at.protect("--apply", who=who)
    assert (found, at.rulesets) == (code, [])
    assert words in err
    assert "Administration: read and write" in err


def test_a_plan_without_rulesets_is_named(at: Protected) -> None:
    """A private repository of a free account has none, whoever asks."""
    at.put("private")
    at.put("free-plan")
    code, out, err = at.protect()
    assert (code, out) == (Denied.exit_code, "")
    assert "the plan of its owner has no rulesets for a private repository" in err
    assert "make the repository public" in err


@pytest.mark.parametrize(
    ("remote", "words"),
    [
        (None, "there is no git remote"),
        ("https://gitlab.com/acme/demo.git", "https://gitlab.com/acme/demo.git is not on GitHub"),
    ],
    ids=["none", "another forge"],
)
def test_a_repository_that_is_not_on_github_is_refused(at: Protected, remote: str | None, words: str) -> None:
    """Nobody knows then whose rules to read."""
    if remote is not None:
        at.repo.git("remote", "add", "origin", remote)
    assert run(["protect", "--directory", str(at.repo.path)]) == Refused.exit_code
    err = at.capsys.readouterr().err
    assert words in err
    assert "add the remote" in err


def test_a_forge_that_is_not_there_is_unknown(at: Protected) -> None:
    """Without a connection nothing is claimed."""
    code, out, err = at.protect(api="http://127.0.0.1:9/api/v3")
    assert (code, out) == (Unknown.exit_code, "")
    assert "127.0.0.1:9" in err


def test_wrong_settings_are_named(at: Protected) -> None:
    """As for every command."""
    at.repo.commit({"pyproject.toml": f"{PYPROJECT}[tool.unmoor]\ntag-prefix = 3\n"})
    code, _, err = at.protect()
    assert code == ConfigError.exit_code
    assert "tag-prefix" in err
