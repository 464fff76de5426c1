"""Reports of coverage.py: its own are read as it means them, and what is none is refused."""

from __future__ import annotations

import contextlib
from pathlib import Path

import coverage
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unmoor.checks import coverage_report
from unmoor.checks.coverage_report import CoverageReport, MeasuredFile, read_report

ROOT = (
    '<coverage version="7" timestamp="1795949336887" lines-valid="{valid}" lines-covered="{covered}" line-rate="0.5"'
    ' branches-valid="2" branches-covered="1" branch-rate="0.5" complexity="0">'
)
CLASS = (
    '<sources><source>/w/src</source></sources><packages><package name="a"><classes><class filename="a/b.py"><methods>'
    '<method><lines><line number="77" hits="1"/></lines></method></methods><lines><line number="1" hits="1"/>'
    '<line number="2" hits="0" branch="true" condition-coverage="50% (1/2)"/></lines></class></classes></package>'
    "</packages></coverage>"
)
WHOLE = ROOT.format(valid=2, covered=1) + CLASS


def _read(folder: Path, text: str) -> CoverageReport:
    path = folder / "coverage.xml"
    path.write_text(text, "utf-8")
    return read_report(path)


def test_a_report_is_read_as_it_is_meant(tmp_path: Path) -> None:
    """Lines and branches count together, and lines of methods are not counted twice."""
    assert _read(tmp_path, WHOLE) == CoverageReport(
        files=(MeasuredFile(name="a/b.py", lines={1: True, 2: False}),),
        sources=("/w/src",),
        written=1795949336.887,
        lines=2,
        covered_lines=1,
        branches=2,
        covered_branches=1,
    )
    assert _read(tmp_path, WHOLE).percentage == 50


def test_coverage_py_says_the_same(tmp_path: Path) -> None:
    """The percentage is the one that coverage.py itself prints, for lines and branches."""
    module = tmp_path / "module.py"
    module.write_text("def f(x):\n    if x:\n        return 1\n    return 2\n\n\nf(1)\n", "utf-8")
    report = tmp_path / "coverage.xml"
    measuring = coverage.Coverage(data_file=None, branch=True, include=[str(module)], config_file=False)
    with measuring.collect():
        exec(compile(module.read_text("utf-8"), module, "exec"), {})  # noqa: S102 - what is measured
    total = measuring.xml_report(outfile=str(report))
    found = read_report(report)
    assert found.percentage == pytest.approx(total)
    assert found.files[0].lines == {1: True, 2: True, 3: True, 4: False, 7: True}
    assert found.lists_all


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty"),
        ("no xml", "it is not XML"),
        (WHOLE[:-12], "it is not XML"),
        ("<html/>", "no report of coverage.py"),
        ("<coverage/>", "no report of coverage.py"),
        (WHOLE.replace('number="1"', 'number="one"'), "number 'one' is no number"),
        (WHOLE.replace('hits="0"', 'hits="-1"'), "hits '-1' is no number"),
        (WHOLE.replace("a/b.py", ""), "without a readable name"),
        (WHOLE.replace("a/b.py", "a&#10;b"), "without a readable name"),
        (ROOT.format(valid=1, covered=1) + CLASS, "says lines-valid 1, but lists 2"),
        (ROOT.format(valid=2, covered=9) + CLASS, "9 of 2 lines"),
        ('<!DOCTYPE coverage [<!ENTITY a "b">]>' + WHOLE, "declares an entity"),
        ('<!DOCTYPE coverage [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + WHOLE, "declares an entity"),
    ],
    ids=range(13),
)
def test_what_is_no_report_is_refused(tmp_path: Path, text: str, why: str) -> None:
    """A report that is cut short, edited or made by something else says nothing."""
    with pytest.raises(ValueError, match=why):
        _read(tmp_path, text)


def test_the_document_type_of_cobertura_is_accepted(tmp_path: Path) -> None:
    """Older versions name it, and nothing is fetched from there."""
    text = '<!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd">' + WHOLE
    assert _read(tmp_path, text).lines == 2


def test_files_of_one_name_are_not_all_listed(tmp_path: Path) -> None:
    """coverage.py lists one of them and counts both, so the total is that of the report."""
    report = _read(tmp_path, ROOT.format(valid=10, covered=9) + CLASS)
    assert report.percentage == pytest.approx(100 * 10 / 12)
    assert not report.lists_all


def test_a_report_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is larger than any report is not read to its end."""
    monkeypatch.setattr(coverage_report, "LARGEST", 100)
    with pytest.raises(ValueError, match="it is larger than"):
        _read(tmp_path, WHOLE)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, len(WHOLE)), what=st.text(max_size=8), length=st.integers(0, 20))
def test_no_damage_passes_for_more_coverage(tmp_path: Path, at: int, what: str, length: int) -> None:
    """A damaged report is refused with a reason, or its numbers are possible ones."""
    text = WHOLE[:at] + what + WHOLE[at + length :]
    with contextlib.suppress(ValueError):
        assert 0 <= _read(tmp_path, text.encode(errors="replace").decode()).percentage <= 100
