"""Which files of a repository a report is about, wherever it was written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from unmoor.checks.coverage_report import CoverageReport, MeasuredFile
from unmoor.checks.measured_files import locate, why_unlike

TEXTS = {
    "src/demo/__init__.py": b"import os\n\nx = 1\n",
    "src/demo/cli.py": b"x = 1\ny = 2\n",
    "tests/__init__.py": b"x = 1\n",
    "page.html": b"\n",
}
TOP = Path("/work/demo")


def _report(name: str, *sources: str, lines: Mapping[int, bool] | None = None) -> CoverageReport:
    return CoverageReport(files=(MeasuredFile(name=name, lines=lines or {1: True}),), sources=sources)


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        (_report("demo/cli.py", "/work/demo/src"), "src/demo/cli.py"),
        (_report("src/demo/cli.py", "/work/demo"), "src/demo/cli.py"),
        (_report("src/demo/cli.py"), "src/demo/cli.py"),
        (_report("cli.py", "src/demo"), "src/demo/cli.py"),
        (_report("demo/cli.py", "/home/runner/work/demo/demo/src"), "src/demo/cli.py"),
        (_report("demo/cli.py", "C:\\a\\demo\\src"), "src/demo/cli.py"),
        (_report("demo\\cli.py", "C:\\a\\demo\\src"), "src/demo/cli.py"),
        (_report("cli.py", "/elsewhere/src/demo", "/elsewhere/tests"), "src/demo/cli.py"),
        (_report("__init__.py", "/x/src/demo", "/x/tests", lines={1: True, 3: True}), "src/demo/__init__.py"),
        (_report("demo/other.py", "/work/demo/src"), ""),
        (_report("demo/cli.py", "/venv/lib/site-packages"), ""),
        (_report("../demo/src/demo/cli.py", "/work/demo"), "src/demo/cli.py"),
        (_report("../../etc/passwd", "/work/demo"), ""),
    ],
    ids=range(13),
)
def test_a_name_is_located_by_its_end(report: CoverageReport, expected: str) -> None:
    """A report of another machine names other folders; one of something else names no file of this repository."""
    found = locate(report, tuple(TEXTS), TOP, TEXTS.get)
    assert tuple(found.lines) == ((expected,) if expected else ())
    assert found.elsewhere == (() if expected else (report.files[0].name,))


def test_a_name_of_two_files_is_none(tmp_path: Path) -> None:
    """If both texts fit, nobody knows which one ran."""
    report = _report("__init__.py", "/x/src/demo", "/x/tests")
    assert locate(report, tuple(TEXTS), tmp_path, TEXTS.get).lines == {}


def test_a_generated_file_is_not_elsewhere(tmp_path: Path) -> None:
    """Git ignores it, and it is there."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "_version.py").touch()
    found = locate(_report("_version.py", str(tmp_path / "src")), tuple(TEXTS), tmp_path, TEXTS.get)
    assert found.elsewhere == ()


@pytest.mark.parametrize(
    ("name", "lines", "why"),
    [
        ("src/demo/__init__.py", {1: True, 3: False}, ""),
        ("src/demo/__init__.py", {2: True}, "line 2, which is blank or a comment"),
        ("src/demo/__init__.py", {9: True}, "line 9, and the file has 3"),
        ("page.html", {7: True}, ""),
    ],
    ids=["fits", "blank", "beyond", "plugin"],
)
def test_lines_that_cannot_run_are_of_another_version(name: str, lines: Mapping[int, bool], why: str) -> None:
    """A report of an older text measures lines that are blank now, sooner or later."""
    assert why_unlike(lines, TEXTS[name], name).removeprefix("it measures ") == why


@pytest.mark.parametrize("content", [b"", b"# only words\n", b"\n\n"], ids=["empty", "comment", "blank"])
def test_a_module_without_code_fits_any_lines(content: bytes) -> None:
    """Some versions of Python say that its first line ran."""
    assert why_unlike({1: True}, content, "a.py") == ""
