"""``unmoor check --access`` on the GitHub and the indexes of a local world, by the token that it has."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.protected_projects import Protected, make_project, start_world

from unmoor.errors import Refused, Unknown
from unmoor.rehearsal.local import LocalWorld

pytestmark = pytest.mark.journey

TAGS = [{"name": name, "type": "tag"} for name in ("v[0-9]*", "[0-9]*")]
SET_UP = {
    "checks": ["all-checks"],
    "environments": [
        {"name": "testpypi", "policies": TAGS},
        {"name": "pypi", "policies": TAGS, "reviewers": ["acme"]},
    ],
}


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


def states(at: Protected, *args: str, who: str = "admin", **changes: str) -> dict[str, str]:
    """The state of each check of access."""
    _, out, _ = at.unmoor("check", "--access", "--select", "access", "--json", *args, who=who, **changes)
    return {each["id"]: each["state"] for each in json.loads(out)["checks"] if each["group"] == "access"}


def test_a_repository_that_is_set_up_passes(at: Protected) -> None:
    """Everything but the publishers, which nobody can read: so it is not known to be ready."""
    at.put("settings.json", SET_UP)
    at.put("immutable")
    assert at.protect("--apply")[0] == 0
    assert states(at) == {
        **dict.fromkeys(("token", "workflow-permissions", "environments", "branch-rules", "tag-rules"), "passed"),
        "immutable-releases": "passed",
        **dict.fromkeys(("publisher-index", "publisher-staging"), "unknown"),
    }
    code, out, err = at.unmoor("check", "--access", "--select", "access")
    assert code == Unknown.exit_code
    assert "acme/demo, workflow release.yml, environment testpypi" in out
    assert "not known to be ready to release" in err


def test_a_new_repository_lacks_all_of_it(at: Protected) -> None:
    """Missing environments fail, since a branch could then publish; the others warn."""
    assert states(at) == {
        "token": "passed",
        "workflow-permissions": "passed",
        "environments": "failed",
        **dict.fromkeys(("branch-rules", "tag-rules", "immutable-releases"), "warned"),
        **dict.fromkeys(("publisher-index", "publisher-staging"), "unknown"),
    }
    assert at.unmoor("check", "--select", "environments")[0] == Refused.exit_code


@pytest.mark.parametrize("who", ["forge", "read", "installation", ""])
def test_what_only_an_administrator_sees_is_no_pass(at: Protected, who: str) -> None:
    """Neither for somebody who may write, nor for a workflow, nor for anybody."""
    at.put("settings.json", SET_UP)
    at.put("immutable")
    assert at.protect("--apply")[0] == 0
    found = states(at, who=who)
    hidden = ("workflow-permissions", "immutable-releases", "tag-rules")
    assert {name: found[name] for name in hidden} == dict.fromkeys(hidden, "unknown")
    assert (found["token"] == "unknown") is (who == "")


def test_nothing_is_written(at: Protected) -> None:
    """The command only reads: the forge is afterwards as before."""
    folder = at.world.folder / "forge"
    before = {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    states(at)
    assert {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()} == before


def test_without_a_connection_nothing_is_known(at: Protected) -> None:
    """Every check of the forge says so."""
    found = states(at, api="http://127.0.0.1:9/api/v3")
    for name in ("token", "environments", "branch-rules", "tag-rules", "immutable-releases", "workflow-permissions"):
        assert found[name] == "unknown"
