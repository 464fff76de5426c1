"""``unmoor bench comment`` on the forge of a local world."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.bench_reports import SAME, bench_report
from tests.support.local_forge import LocalForge, start_forge

from unmoor.adapters.forge.comments import GitHubComments
from unmoor.advice import NextStep
from unmoor.cli.app import run
from unmoor.cli.bench_comment import MARKER, write_comment
from unmoor.errors import ConfigError, Denied, Refused, Unknown
from unmoor.metrics.compare.report import encode_report
from unmoor.ports.comments import Comment
from unmoor.rehearsal.shared.job_tokens import JOBS

PULL = {"number": 1, "head": "change", "sha": "1" * 40, "base": "main", "title": "A change"}
JOB = "ghs_job"


@pytest.fixture(scope="module")
def forge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalForge]:
    """One world for this module, with a pull request."""
    with start_forge(tmp_path_factory.mktemp("comments")) as running:
        (running.world / "forge").mkdir(exist_ok=True)
        (running.world / "forge" / "pulls.json").write_text(json.dumps([PULL]))
        yield running


class Commenting:
    """The command in a job of GitHub Actions, with a report to write."""

    def __init__(self, forge: LocalForge, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.forge, self.report, self.summary = forge, folder / "report.json", folder / "summary.md"
        self.report.write_bytes(encode_report(bench_report()))
        self.comments.unlink(missing_ok=True)
        for name, value in {
            "GITHUB_ACTIONS": "true",
            "GITHUB_REPOSITORY": "acme/demo",
            "GITHUB_REF": "refs/pull/1/merge",
            "GITHUB_STEP_SUMMARY": str(self.summary),
        }.items():
            monkeypatch.setenv(name, value)
        self.monkeypatch = monkeypatch

    @property
    def comments(self) -> Path:
        """The file with the comments."""
        return self.forge.world / "forge" / "comments.json"

    @property
    def there(self) -> list[dict[str, Any]]:
        """The comments."""
        return json.loads(self.comments.read_text()) if self.comments.exists() else []

    def run(self, *args: str, permissions: dict[str, str] | None = None) -> int:
        """Run the command with the token of a job that has these permissions."""
        (self.forge.world / JOBS).write_text(
            json.dumps([{"token": JOB, "permissions": permissions or {"pull-requests": "write"}}])
        )
        world = self.report.parent / "world.toml"
        world.touch(0o600)
        text = self.forge.running.world_file.read_text()
        world.write_text(text.replace(self.forge.place.login.secret.reveal(), JOB))
        try:
            return run(["bench", "comment", str(self.report), "--world", str(world), *args])
        finally:
            (self.forge.world / JOBS).unlink()


@pytest.fixture
def at(forge: LocalForge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commenting:
    """A job for a pull request that has no comment yet."""
    return Commenting(forge, tmp_path, monkeypatch)


def test_there_is_one_comment(at: Commenting, capsys: pytest.CaptureFixture[str]) -> None:
    """The first report creates it, later ones replace its text, and an equal one sends nothing."""
    assert at.run() == 0
    assert capsys.readouterr().out.strip().endswith("/pull/1#issuecomment-1")
    assert at.there[0]["body"].startswith(f"{MARKER}\n## Benchmarks: 1 slower")
    at.report.write_bytes(encode_report(bench_report(SAME)))
    assert at.run() == 0
    assert [each["body"].splitlines()[1] for each in at.there] == ["## Benchmarks: nothing is slower"]
    before = at.comments.stat().st_mtime_ns
    assert at.run() == 0
    assert at.comments.stat().st_mtime_ns == before


def test_a_comment_of_somebody_else_stays(at: Commenting) -> None:
    """Anybody can write the marker, and GitHub lets a token change everybody's comments."""
    other = {"id": 1, "number": 1, "author": "mallory", "body": f"{MARKER}\nlies"}
    quoted = {"id": 2, "number": 1, "author": "github-actions[bot]", "body": f"See {MARKER}"}
    at.comments.write_text(json.dumps([other, quoted]))
    assert at.run() == 0
    assert [each["author"] for each in at.there] == ["mallory", "github-actions[bot]", "github-actions[bot]"]
    assert at.there[:2] == [other, quoted]


def test_a_token_that_only_reads_fills_the_summary(at: Commenting, capsys: pytest.CaptureFixture[str]) -> None:
    """A run for a fork has such a token. Without a summary it is an error."""
    assert at.run(permissions={"contents": "read"}) == 0
    assert at.summary.read_text().startswith("## Benchmarks: 1 slower")
    assert "the report is in the summary of the job" in capsys.readouterr().err
    assert at.there == []
    at.monkeypatch.delenv("GITHUB_STEP_SUMMARY")
    assert at.run(permissions={"contents": "read"}) == Denied.exit_code


def test_what_cannot_be_commented(at: Commenting, capsys: pytest.CaptureFixture[str]) -> None:
    """A pull request that is not there, a run of none, no file, and a file that is no report: each has its own code."""
    assert at.run("--pull-request", "7") == Denied.exit_code
    assert not at.summary.exists()
    at.monkeypatch.setenv("GITHUB_REF", "refs/heads/main")
    assert at.run() == ConfigError.exit_code
    assert "with --pull-request" in capsys.readouterr().err
    at.report.write_text('{"format": 2}')
    assert at.run("--pull-request", "1") == Refused.exit_code
    at.report.unlink()
    assert at.run("--pull-request", "1") == Refused.exit_code
    assert at.there == []


def test_a_person_comments_in_their_own_name(at: Commenting) -> None:
    """Outside of a job, the author is the user of the token."""
    adapter = GitHubComments(at.forge.place, at.forge.http, at.forge.clock)
    made = write_comment(adapter, 1, f"{MARKER}\nfirst")
    assert write_comment(adapter, 1, f"{MARKER}\nsecond").id == made.id
    assert [(each["author"], each["body"]) for each in at.there] == [("rehearsal", f"{MARKER}\nsecond")]


@pytest.mark.parametrize("written", ["written", "lost"])
def test_an_answer_that_is_lost(written: str) -> None:
    """What is there counts: a comment that was written is not written twice, and one that was not is an error."""

    class Losing:
        """A forge whose answer to a new comment never arrives."""

        def __init__(self) -> None:
            self.there: list[Comment] = []

        def own(self, _number: int, _marker: str) -> tuple[Comment, ...]:
            return tuple(self.there)

        def create(self, _number: int, body: str) -> Comment:
            if written == "written":
                self.there.append(Comment(id=1, body=body, url="u"))
            raise Unknown("no answer", next_step=NextStep("look"))

        def update(self, comment: Comment, _body: str) -> Comment:
            return comment

    if written == "written":
        assert write_comment(Losing(), 1, MARKER).id == 1
    else:
        with pytest.raises(Unknown):
            write_comment(Losing(), 1, MARKER)
