"""``unmoor metrics fetch`` on the GitHub of a local world, into a folder and onto a branch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.support.protected_projects import Protected, make_project, start_world

from unmoor.cli.app import run
from unmoor.cli.metrics_fetch import remarks
from unmoor.errors import Denied
from unmoor.metrics.history.fetching import Fetched, Remaining
from unmoor.rehearsal.local import LocalWorld

FOLDER = ("--store", "folder:metrics")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorld]:
    """One world for this module."""
    with start_world(tmp_path_factory.mktemp("fetch")) as running:
        yield running


@pytest.fixture
def at(world: LocalWorld, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Protected]:
    """A project on a forge with 40 runs, one an hour; the last one is not completed."""
    with make_project(world, tmp_path, capsys) as made:
        runs = [stored(number) for number in range(40)]
        runs[39]["status"] = "in_progress"
        runs[5] |= {"attempt": 2, "earlier": ["failure"]}
        made.put("runs.json", runs)
        yield made
        (world.folder / "forge" / "runs.json").unlink()


def stored(number: int) -> dict[str, object]:
    """A run of the world's file."""
    created = datetime.now(UTC) - timedelta(hours=200 - number)
    when = f"{created:%Y-%m-%dT%H:%M:%SZ}"
    return {"id": number, "branch": "main", "status": "completed", "commit": "c" * 40, "created": when}


def fetch(at: Protected, *args: str, who: str = "read", **changes: str) -> tuple[int, str, str]:
    """Run the command: its exit code, stdout and stderr."""
    file = at.world_file(who, **changes)
    code = run(["metrics", "fetch", "--directory", str(at.repo.path), "--world", str(file), *args])
    return code, *at.capsys.readouterr()


def lines(at: Protected, kind: str) -> list[dict[str, object]]:
    """The records of a kind in the project's folder."""
    files = sorted((at.repo.path / "metrics" / kind).glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def test_it_reads_what_is_new_and_goes_on(at: Protected) -> None:
    """The first fetch has too few requests, the second one reads the rest, the third one finds nothing."""
    code, out, err = fetch(at, *FOLDER, "--requests", "20")
    assert (code, "in 20 requests" in out) == (0, True)
    assert "stopped in time" in err
    assert len(lines(at, "runs")) == 17
    code, out, err = fetch(at, *FOLDER)
    assert (code, "left" in err) == (0, False)
    assert "1 run not read yet" in err
    assert len({(each["id"], each["attempt"]) for each in lines(at, "runs")}) == 40
    assert len(lines(at, "jobs")) == 40
    before = {path: path.read_bytes() for path in (at.repo.path / "metrics").rglob("*.jsonl")}
    code, out, _ = fetch(at, *FOLDER, "--json")
    fetched = json.loads(out)
    assert (code, fetched["requests"], fetched["runs"], fetched["unfinished"], fetched["left"]) == (0, 3, 0, 1, None)
    assert before == {path: path.read_bytes() for path in (at.repo.path / "metrics").rglob("*.jsonl")}


def test_it_keeps_them_on_a_branch(at: Protected) -> None:
    """The branch gets one commit, and the next fetch reads it from there."""
    assert fetch(at, who="forge")[0] == 0
    _, out, _ = fetch(at, "--json", who="forge")
    assert (json.loads(out)["runs"], json.loads(out)["requests"]) == (0, 3)


def test_another_repository_is_denied(at: Protected) -> None:
    """One message, and nothing is written."""
    code, _, err = fetch(at, *FOLDER, repository="acme/other")
    assert code == Denied.exit_code
    assert err.count("not found") == 1
    assert "next:  check the repository's name" in err
    assert not (at.repo.path / "metrics").exists()


@pytest.mark.parametrize(
    ("fetched", "words"),
    [
        (Fetched(), ""),
        (Fetched(gone=1), "1 run deleted on the forge meanwhile"),
        (Fetched(unreachable=2), "2 runs that the forge does not list: too many in one second"),
        (Fetched(left=Remaining(reruns=True)), "a look at older runs"),
        (Fetched(left=Remaining()), "left: all that is new of the runs"),
        (
            Fetched(left=Remaining(runs=3, exact=True, until=datetime(2026, 1, 2, tzinfo=UTC))),
            "left: 3 runs, created until",
        ),
        (Fetched(left=Remaining(runs=3, until=datetime(2026, 1, 2, tzinfo=UTC))), "left: at least 3 runs, created"),
    ],
    ids=["nothing", "gone", "unreachable", "reruns", "unknown", "exact", "inexact"],
)
def test_what_is_missing_is_said(fetched: Fetched, words: str) -> None:
    """Each kind has a line of its own."""
    assert words in "\n".join(remarks(fetched))
