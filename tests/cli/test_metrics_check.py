"""``unmoor metrics check`` and ``report``: what they print and write, and the one issue."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.support.local_forge import LocalForge, start_forge
from tests.support.pipeline_figures import HOSTILE, pipeline_records
from tests.support.sample_values import FakeClock

from unmoor.cli import app
from unmoor.metrics.records import JobRecord, Record
from unmoor.metrics.store.folder import FolderFiles
from unmoor.metrics.store.records_store import RecordStore

NOW = datetime.now(UTC).replace(microsecond=0)
RECORDS = tuple(pipeline_records(NOW, days=60))
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalForge]:
    """A world with a forge, and folders with records beside it."""
    with start_forge(tmp_path_factory.mktemp("metrics")) as running:
        running.repo.commit(
            {"pyproject.toml": '[project]\nname = "demo"\nversion = "1"\n[tool.unmoor.metrics]\nstore = "folder:all"\n'}
        )
        store(running, "all", RECORDS)
        store(running, "few", [each for each in RECORDS if each.time > NOW - timedelta(days=3)])
        slow = [each for each in RECORDS if not (isinstance(each, JobRecord) and each.name == "test")]
        store(running, "steady", slow)
        yield running


def store(at: LocalForge, name: str, records: list[Record] | tuple[Record, ...]) -> None:
    """Keep records in a folder of the project."""
    RecordStore(files=FolderFiles(folder=at.repo.path / name), clock=FakeClock()).append(tuple(records), "")


@pytest.fixture
def run(at: LocalForge, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in the world; return its exit code and what it prints."""

    def call(*args: str) -> tuple[int, str, str]:
        where = ("--world", str(at.running.world_file), "--directory", str(at.repo.path))
        code = app.run(["metrics", *args, *where])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def test_broken_rules_fail_and_unknown_ones_are_listed_apart(run: Run) -> None:
    """The job that became slower is named with its times; nothing is known of a job that does not exist."""
    code, out, err = run("check")
    broken, _, unknown = out.partition("\nunknown, which is no pass:\n")
    assert code == 8
    assert [line.split()[:2] for line in broken.splitlines() if line.startswith("broken")] == [
        ["broken", "flaky"],
        ["broken", "regression"],
        ["broken", "coverage"],
        ["broken", "updates"],
    ]
    assert "ci.yml: test" in broken
    assert "*scan*" in unknown
    assert "*scan*" not in broken
    assert "4 rules broken, 1 unknown" in err
    assert "next:" in err


def test_few_runs_say_nothing_and_pass(run: Run) -> None:
    """Nine runs are too few for every rule, so nothing is broken and nothing is kept."""
    code, out, err = run("check", "--store", "folder:few", "--json")
    document = json.loads(out)
    assert (code, document["broken"], document["holds"], document["issue"]) == (0, [], [], None)
    assert {each["rule"] for each in document["unknown"]} == {
        "success",
        "flaky",
        "budget",
        "regression",
        "coverage",
        "findings",
        "updates",
    }
    assert "0 rules broken" in err


def test_a_run_of_actions_gets_annotations_and_a_summary(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each broken rule is an error; names of jobs stay text in the summary."""
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    code, out, err = run("check")
    written = summary.read_text()
    assert code == 8
    assert sum(line.startswith("::error title=") for line in (out + err).splitlines()) >= 4
    assert written.index("### Broken") < written.index("### Unknown") < written.index("### Kept")
    assert "<script>" not in written.replace("\\<script>", "")


def test_one_issue_is_opened_updated_and_closed(at: LocalForge, run: Run) -> None:
    """It stays open while a rule that was broken is unknown, and is closed when all of them hold."""
    file = at.world / "forge" / "issues.json"
    file.unlink(missing_ok=True)
    assert "issue opened: " in run("check", "--issue")[2]
    assert "issue unchanged: " in run("check", "--issue")[2]
    assert "issue updated: " in run("check", "--issue", "--store", "folder:few")[2]
    (issue,) = json.loads(file.read_text())
    assert issue["state"] == "open"
    assert "Broken before, now unknown" in issue["body"]
    config = at.repo.path / "lenient.toml"
    config.write_text(
        'metrics = { flaky-rate = "50%", coverage = "10%", update-days = 90, budgets = { "lint" = "10m" } }'
    )
    code, out, _ = run("check", "--issue", "--store", "folder:steady", "--config", str(config), "--json")
    assert (code, json.loads(out)["issue"]["done"]) == (0, "closed")
    (issue,) = json.loads(file.read_text())
    assert issue["state"] == "closed"


def test_the_page_is_the_same_for_the_same_records(at: LocalForge, run: Run) -> None:
    """It has every table, and a job's name is text in it."""
    pages = []
    for number in range(2):
        file = at.repo.path / f"page{number}.html"
        code, out, err = run("report", "--html", str(file))
        assert (code, out) == (0, "")
        assert f"wrote {file}" in err
        pages.append(file.read_bytes())
    assert pages[0] == pages[1]
    text = pages[0].decode()
    assert "<title>Metrics of acme/demo</title>" in text
    assert HOSTILE not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_a_store_of_nothing_says_so(run: Run) -> None:
    """Everything is unknown, and the warning names the command that fills a store."""
    code, out, err = run("check", "--store", "folder:nowhere")
    assert (code, out.splitlines()[0]) == (0, "unknown, which is no pass:")
    assert "nothing is recorded in" in err
    assert "unmoor metrics fetch" in err


def test_a_page_of_nothing(at: LocalForge, run: Run) -> None:
    """A store that is not there yet gives a page that says so."""
    file = at.repo.path / "empty.html"
    assert run("report", "--html", str(file), "--store", "folder:nowhere")[0] == 0
    assert "Nothing is recorded yet" in file.read_text()
