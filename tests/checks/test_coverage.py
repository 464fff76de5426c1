"""The coverage of a project and of a change, compared with the threshold, in a real repository."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support.git_repos import Repo
from tests.support.shells import shell_for_tests

from unmoor.adapters.git.checkout import GitCheckout
from unmoor.checks.coverage import CHANGES, WHOLE
from unmoor.checks.model import CheckContext, CheckResult, RepositoryCheck
from unmoor.checks.running import run_checks
from unmoor.config.settings import resolve

MODULE = "src/demo/__init__.py"
TEXT = "def f(x):\n    return 1\n\n\n# words\ndef g(x):\n    return 2\n"
SETTINGS = '[project]\nname = "demo"\n[tool.unmoor.workflows]\ncoverage = {}\n'
LATER = time.time() + 3600


def _report(lines: Mapping[int, int], *, name: str = "demo/__init__.py", when: float = LATER) -> str:
    rows = "".join(f'<line number="{number}" hits="{hits}"/>' for number, hits in lines.items())
    return (
        f'<coverage timestamp="{int(when * 1000)}" lines-valid="{len(lines)}" lines-covered="{sum(lines.values())}"'
        f' line-rate="0"><sources><source>/w/src</source></sources><packages><package><classes>'
        f'<class filename="{name}"><lines>{rows}</lines></class></classes></package></packages></coverage>'
    )


WHOLE_RUN = {1: 1, 2: 1, 6: 1, 7: 1}
HALF_RUN = {1: 1, 2: 1, 6: 0, 7: 0}


@contextmanager
def _context(folder: Path, report: str, *, threshold: int = 90, **options: object) -> Iterator[CheckContext]:
    """A clone whose branch changes the module of the default branch, with a report beside it."""
    start = {MODULE: "def f(x):\n    return 1\n", "pyproject.toml": SETTINGS.format(threshold)}
    origin = Repo.new(folder / "origin", start)
    origin.git("clone", "--quiet", str(origin.path), str(folder / "clone"))
    clone = Repo(folder / "clone")
    clone.commit({MODULE: TEXT}, date=int(time.time()))
    path = folder / "coverage.xml"
    path.write_text(report, "utf-8")
    with shell_for_tests() as shell:
        checkout = GitCheckout(clone.path, shell)
        source = checkout.work_tree_files()
        settings = resolve(source.read).settings
        given = {"coverage": path, "default_branch": lambda: "main"} | options
        yield CheckContext(source=source, git=checkout, settings=settings, **given)  # type: ignore[arg-type]  # of a test


def _result(check: RepositoryCheck, context: CheckContext) -> CheckResult:
    (result,) = run_checks(context, [check]).results
    return result


def _words(result: CheckResult) -> str:
    return "\n".join([result.state, result.why, *(f"{each.where}:{each.line} {each.what}" for each in result.problems)])


@pytest.mark.parametrize(
    ("report", "threshold", "state", "words"),
    [
        (_report(WHOLE_RUN), 90, "passed", ""),
        (_report(HALF_RUN), 50, "passed", ""),
        (_report(HALF_RUN), 51, "failed", "50.00 % of the code is covered, and 51 % must be: 2 of 4 lines did not run"),
        (_report(HALF_RUN), 0, "skipped", "there is no threshold"),
        (_report({}), 90, "failed", "the report measures no line of code"),
        ("", 90, "unknown", "this report cannot be read: it is empty"),
        (_report(WHOLE_RUN, name="other.py"), 90, "failed", "measures no file of this repository, but other.py"),
        (_report({1: 1, 3: 1}), 90, "failed", "of another version of this file: it measures line 3, which is blank"),
        (_report({1: 1, 5: 1}), 90, "failed", "it measures line 5, which is blank or a comment"),
        (_report({1: 1, 99: 1}), 90, "failed", "it measures line 99, and the file has 7"),
        (_report(WHOLE_RUN, when=1_600_000_000), 90, "failed", f"the report is older than {MODULE}"),
    ],
    ids=["whole", "enough", "little", "off", "nothing", "empty", "elsewhere", "blank", "comment", "beyond", "old"],
)
def test_the_whole_project_is_compared(tmp_path: Path, report: str, threshold: int, state: str, words: str) -> None:
    """A report that does not describe the present files is no pass, whatever its numbers are."""
    with _context(tmp_path, report, threshold=threshold) as context:
        result = _result(WHOLE, context)
    assert result.state == state, _words(result)
    assert words in _words(result)


@pytest.mark.parametrize(
    ("report", "threshold", "state", "words"),
    [
        (_report(WHOLE_RUN), 90, "passed", ""),
        (_report(HALF_RUN), 50, "failed", "0.00 % of the lines that changed since main are covered, and 50 % must be"),
        (_report(HALF_RUN), 50, "failed", f"{MODULE}:6 changed and did not run: line 6, 7"),
        (_report({1: 0, 2: 0, 6: 1, 7: 1}), 90, "passed", ""),
        (_report({1: 1, 2: 1}), 90, "skipped", "no measured line changed since main"),
        (_report({1: 1, 3: 1}), 90, "unknown", "not of the present files"),
        (_report(HALF_RUN), 0, "skipped", "there is no threshold"),
        ("<html/>", 90, "unknown", "this report cannot be read"),
    ],
    ids=["whole", "none", "listed", "old-lines", "no-lines", "other", "off", "unreadable"],
)
def test_the_lines_of_a_change_are_compared(
    tmp_path: Path, report: str, threshold: int, state: str, words: str
) -> None:
    """Only what changed since the branch left the default branch counts, and each line that did not run is listed."""
    with _context(tmp_path, report, threshold=threshold) as context:
        result = _result(CHANGES, context)
    assert result.state == state, _words(result)
    assert words in _words(result)


def test_a_report_from_an_earlier_job_is_not_old(tmp_path: Path) -> None:
    """A checkout gives every file a new time; the commit is older than the report, and nothing differs from it."""
    written = time.time() + 10
    with _context(tmp_path, _report(WHOLE_RUN, when=written)) as context:
        os.utime(context.git.folder / MODULE, (written + 100, written + 100))
        assert _result(WHOLE, context).state == "passed"
        (context.git.folder / MODULE).write_text(TEXT + "x = 1\n", "utf-8")
        os.utime(context.git.folder / MODULE, (written + 200, written + 200))
        assert "the report is older than" in _words(_result(WHOLE, context))


def test_a_new_module_that_is_not_measured_is_a_warning(tmp_path: Path) -> None:
    """No test imports it, so the report knows nothing of it."""
    with _context(tmp_path, _report(WHOLE_RUN)) as context:
        (context.git.folder / "src/demo/new.py").write_text("x = 1\n", "utf-8")
        result = _result(CHANGES, context)
    assert result.state == "warned"
    assert "src/demo/new.py:None the change touches it, and the report does not list it" in _words(result)


@pytest.mark.parametrize("branch", ["gone", "../x", "-x"])
def test_a_base_that_is_not_here_is_unknown(tmp_path: Path, branch: str) -> None:
    """A shallow clone of a pull request does not hold the branch that it is for."""
    with _context(tmp_path, _report(WHOLE_RUN), environ={"GITHUB_BASE_REF": branch}) as context:
        result = _result(CHANGES, context)
    assert result.state == "unknown"
    assert "does not show where it left the branch" in result.why


@pytest.mark.parametrize("check", [WHOLE, CHANGES], ids=["whole", "changes"])
def test_a_report_that_is_not_there_is_unknown(tmp_path: Path, check: RepositoryCheck) -> None:
    """The advice says how to write one; without the option there is nothing to check."""
    with _context(tmp_path, "", coverage=tmp_path / "none.xml") as context:
        result = _result(check, context)
        assert (result.state, result.next_step.ids) == ("unknown", ("write-coverage-report",))
    with _context(tmp_path / "again", "", coverage=None) as context:
        assert _result(check, context).why == "no report is given: --coverage FILE"
