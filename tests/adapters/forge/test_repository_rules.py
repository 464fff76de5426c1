"""The rules of a repository: from the forge of a local world, and from servers that lie or fail."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from tests.support.faulty_server import Script, run_server
from tests.support.local_forge import LocalForge, place_at, start_forge
from tests.support.sample_values import FakeClock

from unmoor.adapters.forge import GitHubRules
from unmoor.adapters.http.limits import Bounds
from unmoor.adapters.http.session import BoundedSession
from unmoor.errors import Denied, Rejected, Unknown
from unmoor.ports.repository_rules import BypassActor, PlanWithoutRules, Rule, Ruleset
from unmoor.util.secret import Secret
from unmoor.util.values import replace

PUBLIC = {"full_name": "acme/demo", "private": False, "default_branch": "main", "owner": {"type": "User"}}
ADMINS = BypassActor(kind="RepositoryRole", id=5)
TAGS = Ruleset(
    name="tags",
    target="tag",
    include=("refs/tags/v[0-9]*",),
    exclude=("refs/tags/v0*",),
    rules=(Rule(type="creation"), Rule(type="deletion")),
    bypass=(ADMINS,),
)
MAIN = Ruleset(
    name="main",
    target="branch",
    include=("~DEFAULT_BRANCH",),
    rules=(
        Rule(
            type="required_status_checks",
            parameters={
                "required_status_checks": [{"context": "all-checks"}],
                "strict_required_status_checks_policy": True,
            },
        ),
    ),
)


@dataclass(frozen=True)
class Rules:
    """The rules of a running world, by the name of a token."""

    at: LocalForge

    def of(self, who: str = "admin") -> GitHubRules:
        """The rules with the token of that name."""
        tokens = {"": "", **json.loads((self.at.world / "credentials.json").read_text())}
        login = replace(self.at.place.login, secret=Secret(tokens[who]))
        return GitHubRules(replace(self.at.place, login=login), self.at.http, FakeClock())


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalForge]:
    """One world for this module."""
    with start_forge(tmp_path_factory.mktemp("rules")) as running:
        yield running


@pytest.fixture
def rules(running: LocalForge) -> Iterator[Rules]:
    """The rules of the world, without any before and after each test."""
    (running.world / "forge").mkdir(exist_ok=True)
    yield Rules(running)
    for name in ("rulesets.json", "settings.json", "immutable", "private", "free-plan"):
        (running.world / "forge" / name).unlink(missing_ok=True)


@pytest.fixture
def http() -> Iterator[BoundedSession]:
    """A session that gives up soon."""
    with BoundedSession(Bounds(connect=0.5, stall=0.5, total=1.0)) as session:
        yield session


def test_what_was_created_is_read_back(rules: Rules) -> None:
    """Conditions, rules, parameters and bypasses are those that were sent; an update replaces them."""
    admin = rules.of()
    made = admin.create(TAGS)
    assert admin.rulesets() == (made,)
    expected = replace(TAGS, id=made.id, source="acme/demo", can_bypass="always")
    assert made == expected
    changed = admin.update(replace(made, bypass=(), rules=(Rule(type="update"),)))
    assert changed == replace(expected, bypass=(), rules=(Rule(type="update"),), can_bypass="never")
    assert admin.rulesets() == (changed,)


@pytest.mark.parametrize("token", ["", "read", "forge"])
def test_anybody_reads_the_rules_of_a_branch(rules: Rules, token: str) -> None:
    """Who may bypass them is hidden from those who cannot change them, which is not the same as nobody."""
    made = rules.of().create(MAIN)
    found = rules.of(token).rules_for_branch("main")
    assert [(each.type, each.source, each.is_own, each.ruleset, each.blocks_push) for each in found] == [
        ("required_status_checks", "acme/demo", True, made.id, True)
    ]
    assert found[0].parameters["required_status_checks"] == [{"context": "all-checks"}]
    assert rules.of(token).rules_for_branch("other/branch") == ()
    assert [each.bypass for each in rules.of(token).rulesets()] == [None]


def test_rules_of_an_organisation_are_its_own(rules: Rules) -> None:
    """They have its name, and nobody can change them in the repository."""
    theirs = {
        "id": 7,
        "name": "theirs",
        "source_type": "Organization",
        "conditions": {"ref_name": {"include": ["~ALL"]}},
        "rules": [{"type": "deletion"}],
    }
    (rules.at.world / "forge" / "rulesets.json").write_text(json.dumps([theirs]))
    assert [(each.source, each.is_own) for each in rules.of().rules_for_branch("main")] == [("acme", False)]
    (found,) = rules.of().rulesets()
    assert (found.source, found.is_own, found.bypass) == ("acme", False, None)
    with pytest.raises(Denied, match="may not change the rules"):
        rules.of().update(found)


@pytest.mark.parametrize("token", ["forge", "installation", "read", ""])
def test_without_the_permission_nothing_changes(rules: Rules, token: str) -> None:
    """A 401, a 403 and a 404 are all denials, with the permission as the next step of the last two."""
    with pytest.raises(Denied) as caught:
        rules.of(token).create(TAGS)
    assert not token or "Administration: read and write" in caught.value.next_step
    assert rules.of().rulesets() == ()


def test_a_name_that_is_taken_is_rejected(rules: Rules) -> None:
    """A second ruleset of one name cannot be, with the forge's reason."""
    rules.of().create(TAGS)
    with pytest.raises(Rejected, match="Name must be unique"):
        rules.of().create(TAGS)


def test_a_plan_without_rulesets_is_named(rules: Rules) -> None:
    """Then there are no rules for a branch, and the rulesets cannot be read or made."""
    for name in ("private", "free-plan"):
        (rules.at.world / "forge" / name).touch()
    admin = rules.of()
    assert admin.rules_for_branch("main") == ()
    for call in (admin.rulesets, lambda: admin.create(TAGS)):
        with pytest.raises(PlanWithoutRules, match="the plan of its owner") as caught:
            call()
        assert "make the repository public" in caught.value.next_step


def test_the_repository_says_who_administers_it(rules: Rules) -> None:
    """The token's permissions, the default branch and the kind of owner."""
    assert [rules.of(token).repository().can_administer for token in ("admin", "forge", "")] == [True, False, None]
    seen = rules.of().repository()
    assert (seen.full_name, seen.default_branch, seen.private, seen.organisation) == ("acme/demo", "main", False, False)


def serving(script: Script) -> Script:
    """A forge with a public repository, whose other answers are those of the script."""
    return lambda x: x.json(PUBLIC) if x.path == "/api/v3/repos/acme/demo" else script(x)


FAULTS: dict[str, tuple[Script, type[Exception]]] = {
    "500": (lambda x: x.answer(500, "{}", kind="application/json"), Unknown),
    "403": (lambda x: x.answer(403, '{"message": "no"}', kind="application/json"), Denied),
    "404": (lambda x: x.answer(404, '{"message": "no"}', kind="application/json"), Denied),
    "HTML": (lambda x: x.answer(200, "<html>Sign in</html>", kind="text/html"), Unknown),
    "time-out": (lambda x: x.hang(), Unknown),
    "numbers": (lambda x: x.json([1]), Unknown),
    "text": (lambda x: x.json({"rules": "x", "environments": "x", "check_runs": "x", "enabled": "x"}), Unknown),
}
READS: dict[str, Callable[[GitHubRules], object]] = {
    "rules": lambda rules: rules.rules_for_branch("main"),
    "rulesets": lambda rules: rules.rulesets(),
    "commits": lambda rules: rules.recent_commits("main"),
    "checks": lambda rules: rules.reported_checks("0" * 40, "all-checks"),
    "writers": lambda rules: rules.writers(),
    "environments": lambda rules: rules.environments(),
    "immutable": lambda rules: rules.immutable_releases(),
    "permissions": lambda rules: rules.workflow_permissions(),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("read", READS)
def test_what_cannot_be_read_is_an_error(http: BoundedSession, read: str, fault: str) -> None:
    """No fault of the forge means that there are no rules, no writers or no environments."""
    script, error = FAULTS[fault]
    with run_server(serving(script)) as server, pytest.raises(error):
        READS[read](GitHubRules(place_at(server.url, token="t"), http, FakeClock()))


def test_a_ruleset_without_rules_in_its_answer_is_unknown(http: BoundedSession) -> None:
    """Its rules may be anything."""

    def script(exchange: Any) -> None:
        brief = {"id": 1, "name": "x", "enforcement": "active"}
        exchange.json([brief] if exchange.path.partition("?")[0].endswith("/rulesets") else brief)

    with run_server(serving(script)) as server, pytest.raises(Unknown, match="a ruleset with its rules"):
        GitHubRules(place_at(server.url), http, FakeClock()).rulesets()


def test_a_forge_without_immutable_releases_says_so_to_administrators(http: BoundedSession) -> None:
    """404 means that they are off only if the token's user would see them."""

    def script(exchange: Any) -> None:
        if exchange.path == "/api/v3/repos/acme/demo":
            exchange.json({**PUBLIC, "permissions": {"admin": True}})
        else:
            exchange.answer(404, '{"message": "Not Found"}', kind="application/json")

    with run_server(script) as server:
        assert GitHubRules(place_at(server.url), http, FakeClock()).immutable_releases() is False


def test_what_decides_about_rules_is_read(rules: Rules) -> None:
    """The branch, its commits and checks, those who may push, the environments and the settings."""
    policies = [{"name": "v*", "type": "tag"}, {"name": "main"}]
    held = {
        "writers": ["b", "a"],
        "checks": ["all-checks", "lint"],
        "signed": True,
        "environments": [
            {"name": "testpypi"},
            {"name": "pypi", "reviewers": ["a", "b"], "policies": policies},
            {"name": "docs", "protected_branches": True},
        ],
        "workflow_permissions": "write",
    }
    (rules.at.world / "forge" / "settings.json").write_text(json.dumps(held))
    admin = rules.of()
    branch = admin.branch("main")
    assert (branch.commit if branch else "", admin.branch("none/there")) == (rules.at.commit, None)
    assert {each.verified for each in admin.recent_commits("main")} == {True}
    assert [(each.name, each.app) for each in admin.reported_checks(rules.at.commit, "all-checks")] == [
        ("all-checks", 15368)
    ]
    assert admin.reported_checks(rules.at.commit, "other") == ()
    assert admin.writers() == ("a", "b")
    found = {each.name: each for each in admin.environments()}
    assert (found["testpypi"].policies, found["docs"].protected_only) == (None, True)
    assert [(each.name, each.type) for each in found["pypi"].policies or ()] == [("v*", "tag"), ("main", "branch")]
    assert found["pypi"].reviewers == 2
    assert (admin.workflow_permissions().default, admin.immutable_releases()) == ("write", False)
    (rules.at.world / "forge" / "immutable").touch()
    assert admin.immutable_releases() is True


@pytest.mark.parametrize("token", ["forge", "read", ""])
def test_what_administrators_see_is_denied_to_others(rules: Rules, token: str) -> None:
    """A 404 of a setting says nothing to them."""
    for read in (rules.of(token).immutable_releases, rules.of(token).workflow_permissions):
        with pytest.raises(Denied):
            read()
