"""A fault of our own is one message, and its traceback is in a file that the message names."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pytest

from unmoor.cli import exit_codes
from unmoor.core.middleware import internal_error
from unmoor.errors import Internal


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of their own."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def broken() -> None:
    """Fail as a fault of ours would."""
    raise ZeroDivisionError("what went wrong")


def test_no_traceback_for_the_user(capsys: pytest.CaptureFixture[str]) -> None:
    """The message names the fault and the file; the file says where it was."""
    assert exit_codes.guard(broken) == Internal.exit_code
    told = capsys.readouterr().err
    assert "Traceback" not in told
    assert "ZeroDivisionError: what went wrong" in told
    found = re.search(r"report this with (\S+),", told)
    assert found is not None
    assert "in broken" in Path(found[1]).read_text()


@pytest.mark.parametrize("journal", [True, False], ids=["journal", "before-the-journal"])
def test_the_traceback_of_a_stage(tmp_path: Path, *, journal: bool) -> None:
    """The journal holds it; a run that failed before it began one keeps a file, so that nothing is lost."""
    with pytest.raises(ZeroDivisionError) as caught:
        broken()
    path = tmp_path / "journal.jsonl"
    if journal:
        path.touch()
    kept = exit_codes.traceback_path(internal_error(caught.value), path)
    assert (kept == path) is journal
    assert journal or "in broken" in kept.read_text()
