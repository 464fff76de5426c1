"""``unmoor clean artifacts`` and ``clean caches`` on the forge of a local world."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.support.local_forge import LocalForge, start_forge

from unmoor.adapters.forge.leftovers import GitHubLeftovers
from unmoor.cli.app import run
from unmoor.errors import Denied
from unmoor.rehearsal.shared.job_tokens import JOBS

OLD = (datetime.now(UTC) - timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
NEW = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True)
class Left:
    """A forge with leftovers, and the command on it."""

    forge: LocalForge
    capsys: pytest.CaptureFixture[str]

    def put(self, name: str, content: object) -> None:
        """Write a file of the forge."""
        folder = self.forge.world / "forge"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(content))

    def ids(self, name: str) -> list[int]:
        """What a file of the forge still lists."""
        return [each["id"] for each in json.loads((self.forge.world / "forge" / name).read_text())]

    def clean(self, *args: str) -> tuple[int, str, str]:
        """Run the command: its code, stdout and stderr."""
        where = ("--world", str(self.forge.running.world_file), "--directory", str(self.forge.repo.path))
        self.capsys.readouterr()
        code = run(["clean", *args, *where])
        captured = self.capsys.readouterr()
        return code, captured.out, captured.err


@pytest.fixture(scope="module")
def forge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalForge]:
    """One world for this module; its remote has the branch main and the tags v1.0 to v99.0."""
    with start_forge(tmp_path_factory.mktemp("left")) as running:
        running.repo.commit({"pyproject.toml": '[project]\nname = "demo"\nversion = "1.0"\n'}, "A project")
        yield running


@pytest.fixture
def left(forge: LocalForge, capsys: pytest.CaptureFixture[str]) -> Left:
    """Artifacts of runs that ended or wait; caches of a branch that is there, and of one that is not."""
    at = Left(forge, capsys)

    def artifact(number: int, run: int, branch: str, created: str = OLD) -> dict[str, Any]:
        return {"id": number, "name": f"a{number}\x1b", "run": run, "branch": branch, "created": created}

    at.put(
        "artifacts.json",
        [
            artifact(1, 10, "main", NEW),
            artifact(2, 10, "main"),
            artifact(3, 11, "main"),
            artifact(4, 10, "v7.0"),
            artifact(5, 12, "main"),
        ],
    )
    at.put(
        "runs.json",
        [
            {"id": 10, "branch": "main", "status": "completed"},
            {"id": 11, "branch": "main", "status": "waiting"},
            {"id": 12, "branch": "main", "status": "completed"},
        ],
    )
    caches = [
        {"id": 1, "key": "pip-00000000", "ref": "refs/heads/main", "used": OLD},
        {"id": 2, "key": "pip-11111111", "ref": "refs/heads/main", "used": NEW},
        {"id": 3, "key": "pip-00000000", "ref": "refs/heads/gone", "used": OLD},
        {"id": 4, "key": "pip-00000000", "ref": "refs/pull/9/merge", "used": OLD},
    ]
    at.put("caches.json", caches)
    return at


def test_a_dry_run_deletes_nothing(left: Left) -> None:
    """It says what would go, why the rest stays, and how to delete."""
    code, out, err = left.clean("artifacts")
    assert code == 0, err
    assert "would delete 2 artifacts (200 B); to delete, add --apply" in err
    assert [line.split()[0] for line in out.splitlines() if " goes" in line] == ["2", "5"]
    assert "its run has not ended" in out
    assert "its tag is not public yet" in out
    assert "\x1b" not in out
    assert left.ids("artifacts.json") == [1, 2, 3, 4, 5]


def test_old_artifacts_are_deleted(left: Left) -> None:
    """Those of runs that ended; what was deleted since is no error, and a run that began once more keeps its own."""
    code, _, err = left.clean("artifacts", "--apply")
    assert (code, left.ids("artifacts.json")) == (0, [1, 3, 4])
    assert "deleted 2 artifacts" in err
    code, out, _ = left.clean("artifacts", "--apply", "--json")
    document = json.loads(out)
    assert (document["applied"], [each["deleted"] for each in document["leftovers"]]) == (True, [False] * 3)


def test_caches_are_deleted(left: Left) -> None:
    """The old one of a kind, and those that no run can restore."""
    code, out, _ = left.clean("caches", "--apply")
    assert (code, left.ids("caches.json")) == (0, [2])
    assert out.count("deleted") == 3


def test_a_token_that_only_reads_is_denied_before_the_second_one(left: Left) -> None:
    """Nothing is deleted, everything is named, and the exit code says so."""
    token = "ghs_job"
    (left.forge.world / JOBS).write_text(json.dumps([{"token": token, "permissions": {"actions": "read"}}]))
    world = left.forge.running.world_file
    text = world.read_text()
    secret = left.forge.place.login.secret.reveal()
    assert secret in text
    world.write_text(text.replace(secret, token))
    try:
        code, out, err = left.clean("artifacts", "--apply")
    finally:
        world.write_text(text)
        (left.forge.world / JOBS).unlink()
    assert code == Denied.exit_code
    assert left.ids("artifacts.json") == [1, 2, 3, 4, 5]
    assert "not tried after that error" in out
    assert "may delete artifacts and caches" in err


def test_an_unknown_run_is_no_run_that_ended(left: Left) -> None:
    """The forge does not know it, so that whether it ended is unknown."""
    adapter = GitHubLeftovers(left.forge.place, left.forge.http, left.forge.clock)
    assert adapter.is_finished(99) is None
    (found,) = (each for each in adapter.artifacts() if each.id == 2)
    assert (adapter.delete_artifact(found), adapter.delete_artifact(found)) == (True, False)
    assert adapter.unfinished() == {11}
    assert "v7.0" in adapter.tags()
    assert "main" in adapter.branches()
    assert not adapter.is_public("v7.0")
    assert adapter.open_pull_requests() == frozenset()
