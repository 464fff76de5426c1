"""What a run adds to the advice of an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from unmoor.advice import NextStep
from unmoor.cli import run_advice
from unmoor.cli.run_advice import advise, warn_of_temporary_folder
from unmoor.cli.run_options import RunOptions, TargetOptions
from unmoor.errors import BuildFailed, CheckFailed, Conflict, Denied, ToolMissing, UnmoorError

WHY = "temporary files are in /t, where programs cannot run"
OPTIONS = RunOptions(target=TargetOptions(folder=Path()))


@pytest.mark.parametrize(
    ("error", "amended"),
    [
        (BuildFailed("no", next_step=NextStep("correct it")), True),
        (CheckFailed("no", next_step=NextStep("correct it")), True),
        (ToolMissing("no", next_step=NextStep("correct it")), True),
        (Conflict("no", next_step=NextStep("correct it")), False),
        (Denied("no", next_step=NextStep("correct it")), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_where_programs_do_not_run(error: UnmoorError, monkeypatch: pytest.MonkeyPatch, *, amended: bool) -> None:
    """What runs programs may fail for that reason, so another TMPDIR comes before what blames the project."""
    monkeypatch.setattr(run_advice, "why_unfit", lambda: "")
    assert advise(error, options=OPTIONS).next_step == "correct it"
    monkeypatch.setattr(run_advice, "why_unfit", lambda: WHY)
    before = f"set TMPDIR to a folder on another disk: {WHY}; " if amended else ""
    assert advise(error, options=OPTIONS).next_step == f"{before}correct it"


@pytest.mark.parametrize(
    ("elsewhere", "unfit", "lines"),
    [("", "", []), ("A", "", ["warning: A"]), ("", "B", ["warning: B"]), ("A", "B", ["warning: A", "warning: B"])],
)
def test_warnings(
    elsewhere: str, unfit: str, lines: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each problem of the folder for temporary files is one line."""
    monkeypatch.setattr(run_advice, "why_elsewhere", lambda _: elsewhere)
    monkeypatch.setattr(run_advice, "why_unfit", lambda: unfit)
    warn_of_temporary_folder()
    assert capsys.readouterr().err.splitlines() == lines
