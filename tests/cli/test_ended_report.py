"""The report at the end of a run never hides how the run ended, and costs it little."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.support import release_reports

from unmoor.cli import run_records
from unmoor.cli.ended_report import PageLoader
from unmoor.core.events import StageStarted
from unmoor.render.html import release_page
from unmoor.render.report.model import ReleaseReport


def test_the_page_is_written_beside_the_journal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As a whole file, without a word."""
    run_records.write_page(release_reports.ordinary_report(), tmp_path)
    assert (tmp_path / run_records.REPORT).read_text("utf-8").startswith("<!DOCTYPE html>")
    assert [each.name for each in tmp_path.iterdir()] == [run_records.REPORT]
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), RuntimeError("a bug"), MemoryError()])
def test_a_page_that_fails_is_a_warning(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever is wrong, it is one line, and nothing is left behind."""

    def fail(_report: ReleaseReport) -> str:
        raise error

    monkeypatch.setattr(release_page, "render", fail)
    run_records.write_page(release_reports.ordinary_report(), tmp_path)
    assert capsys.readouterr().err.startswith("warning: the report of the run could not be written")
    assert not list(tmp_path.iterdir())


def test_what_writes_the_page_is_loaded_once_while_files_are_made() -> None:
    """Not before, and not again when the stage goes on."""
    loaded = threading.Semaphore(0)
    counted = []

    def load() -> None:
        counted.append(1)
        loaded.release()

    listener = PageLoader(load)
    listener(StageStarted(stage="tag"))
    assert not counted
    for _ in range(2):
        listener(StageStarted(stage="dists"))
    assert loaded.acquire(timeout=30)
    assert not loaded.acquire(timeout=0.05)
    assert counted == [1]


@pytest.mark.parametrize("module", ["release", "report", "rehearse_run", "session"])
def test_no_command_starts_slower_for_it(module: str) -> None:
    """Neither templates nor what renders notes is loaded before a run needs it."""
    code = (
        f"import sys, unmoor.cli.{module}; "
        "print([each for each in ('jinja2', 'readme_renderer', 'unmoor.render.html', 'unmoor.render.report') if each in"
        " sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout == "[]\n"
