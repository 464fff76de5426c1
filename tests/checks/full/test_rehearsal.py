"""The rehearsal that a check runs, and what its end means."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from tests.support.checked import context_of
from tests.support.git_repos import Repo
from tests.support.sample_projects import files

from unmoor.adapters.process.supervisor import Processes
from unmoor.checks.full.rehearsal import CHECK
from unmoor.checks.model import CheckContext, CheckResult
from unmoor.checks.running import run_checks
from unmoor.cli.check_run import open_context
from unmoor.cli.run_options import TargetOptions
from unmoor.ports.git import Git
from unmoor.ports.shell import Ran, Shell
from unmoor.util.values import replace


class _Git:
    folder = Path("/work/demo")
    path = ""

    def head(self) -> str | None:
        return "1" * 40

    def changed(self) -> tuple[str, ...]:
        return ()


class _Shell:
    def __init__(self, code: int, out: str, err: str) -> None:
        self.answer = (code, out, err)
        self.env: dict[str, str] = {}

    def run(self, args: list[str], **options: Any) -> Ran:
        self.env = options["env"]
        code, out, err = self.answer
        return Ran(args=tuple(args), code=code, out=out, err=err)


def _stage(code: int) -> str:
    stage = {"name": "dists", "state": "failed", "text": "it does not build", "next_step": "mend it", "exit_code": code}
    return json.dumps({"stages": [{"name": "tag", "state": "made"}, stage]})


def _result(shell: _Shell) -> CheckResult:
    environ = {"PATH": "/bin", "GITHUB_STEP_SUMMARY": "/x", "GITHUB_OUTPUT": "/y"}
    context = context_of({}, programs=lambda: cast("Shell", shell), environ=environ)
    (result,) = run_checks(replace(context, git=cast("Git", _Git())), [CHECK]).results
    return result


@pytest.mark.parametrize(
    ("answer", "state", "words"),
    [
        ((0, "{}", ""), "passed", ""),
        ((6, _stage(6), ""), "failed", "dists failed: it does not build; next: mend it"),
        ((10, _stage(10), ""), "unknown", "the rehearsal has no result: it does not build"),
        ((13, "", "error: there is no uv\nnext: install it\n"), "unknown", "error: there is no uv next: install it"),
        (
            (4, "", "warning: x\nerror: the tag is wrong\n  next: name another\n"),
            "failed",
            "error: the tag is wrong",
        ),
        ((3, "<html>", ""), "failed", "it printed nothing"),
        ((-9, "", ""), "unknown", "unmoor rehearse was killed by"),
    ],
    ids=["passed", "failed", "unknown", "missing", "refused", "nonsense", "killed"],
)
def test_the_end_of_a_rehearsal_decides(answer: tuple[int, str, str], state: str, words: str) -> None:
    """A failure of this machine or of the network is no answer about the project."""
    result = _result(_Shell(*answer))
    text = "\n".join([result.why, *(each.what for each in result.problems)])
    assert result.state == state, text
    assert words in text


def test_its_report_is_no_part_of_that_of_the_run() -> None:
    """In GitHub Actions it neither writes a summary nor outputs."""
    shell = _Shell(0, "{}", "")
    _result(shell)
    assert shell.env == {"PATH": "/bin"}


@contextmanager
def _context(folder: Path) -> Iterator[CheckContext]:
    with Processes() as processes, processes.guarded():
        yield open_context(TargetOptions(folder=folder), processes)


@pytest.mark.journey
def test_a_project_rehearses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same project fails once it does not build, and its own module unmoor is never imported."""
    repo = Repo.new(tmp_path / "project", files() | {"unmoor.py": "raise SystemExit('the wrong one')\n"})
    monkeypatch.chdir(repo.path)
    with _context(repo.path) as context:
        (result,) = run_checks(context, [CHECK]).results
        assert result.state == "passed", result.problems
    repo.commit({"fail": ""})
    with _context(repo.path) as context:
        (result,) = run_checks(context, [CHECK]).results
        assert result.state == "failed"
        assert "dists failed: " in result.problems[0].what
