"""The wheel of a project is built, resolved and imported."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.git_repos import Repo
from tests.support.sample_projects import files

from unmoor.adapters.process.supervisor import Processes
from unmoor.checks.full.install import CHECK
from unmoor.checks.model import CheckResult
from unmoor.checks.running import run_checks
from unmoor.cli.check_run import open_context
from unmoor.cli.run_options import TargetOptions

pytestmark = pytest.mark.journey
MODULE = "src/small_one/__init__.py"
NO_SUCH = "packaging>=999"


def _result(folder: Path, monkeypatch: pytest.MonkeyPatch, content: dict[str, str]) -> CheckResult:
    repo = Repo.new(folder / "project", content)
    monkeypatch.chdir(repo.path)
    with Processes() as processes, processes.guarded():
        context = open_context(TargetOptions(folder=repo.path), processes)
        (result,) = run_checks(context, [CHECK]).results
    return result


@pytest.mark.parametrize(
    ("content", "state", "words"),
    [
        (files(), "passed", ""),
        (
            files(more=f'dependencies = ["{NO_SUCH}"]\n'),
            "failed",
            "what the project requires does not resolve on Python",
        ),
        (
            files(more=f'[project.optional-dependencies]\nlate = ["{NO_SUCH}"]\n'),
            "warned",
            "the extra late does not resolve on Python",
        ),
        (files() | {MODULE: "import no_such_module\n"}, "failed", "no_such_module"),
        (files(more='[tool.unmoor]\nformats = ["sdist"]\n'), "skipped", "the project releases no wheel"),
        (files() | {"own.py": "raise SystemExit(3)\n"}, "failed", "Backend subprocess exited"),
    ],
    ids=["fine", "required", "extra", "import", "sdist", "build"],
)
def test_what_does_not_install_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: dict[str, str], state: str, words: str
) -> None:
    """Each step says what failed. An extra is a warning, since nobody has to ask for it."""
    result = _result(tmp_path, monkeypatch, content)
    text = "\n".join([result.why, *(each.what for each in result.problems)])
    assert result.state == state, text
    assert words in text


def test_uncommitted_changes_are_no_part_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The result is about the last commit, as a release is, and says so."""
    repo = Repo.new(tmp_path / "project", files())
    repo.write({MODULE: "import no_such_module\n"})
    monkeypatch.chdir(repo.path)
    with Processes() as processes, processes.guarded():
        context = open_context(TargetOptions(folder=repo.path), processes)
        (result,) = run_checks(context, [CHECK]).results
    assert result.state == "passed"
    assert result.remarks == ("this is about the last commit, without the changes in src/small_one/__init__.py",)
