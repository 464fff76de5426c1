"""A bug in unmoor ends with one message, which names the file that holds the traceback."""

from __future__ import annotations

import errno
import io
import re
import sys
import tempfile
from pathlib import Path

import pytest

from unmoor.cli import exit_codes
from unmoor.core.middleware import internal_error
from unmoor.errors import Internal
from unmoor.util.announce import announce


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give every test its own folder for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def broken() -> None:
    """Raise an exception that only a bug raises."""
    raise ZeroDivisionError("what went wrong")


def test_no_traceback_for_the_user(capsys: pytest.CaptureFixture[str]) -> None:
    """The message names the exception and the file with its traceback."""
    assert exit_codes.guard(broken) == Internal.exit_code
    stderr = capsys.readouterr().err
    assert "Traceback" not in stderr
    assert "ZeroDivisionError: what went wrong" in stderr
    file = re.search(r"report this bug with (\S+),", stderr)
    assert file is not None
    assert "in broken" in Path(file[1]).read_text()


def test_a_full_disk_hides_no_bug(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """If the traceback cannot be written, the message still says what went wrong."""

    def full(**_options: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "mkstemp", full)
    assert exit_codes.guard(broken) == Internal.exit_code
    stderr = capsys.readouterr().err
    assert "Traceback" not in stderr
    assert "ZeroDivisionError: what went wrong" in stderr
    assert "free disk space" in stderr


@pytest.mark.parametrize("journal", [True, False], ids=["journal", "before-the-journal"])
def test_the_traceback_of_a_stage(tmp_path: Path, *, journal: bool) -> None:
    """The traceback is in the journal, or in a new file if the run failed before it started a journal."""
    with pytest.raises(ZeroDivisionError) as caught:
        broken()
    path = tmp_path / "journal.jsonl"
    if journal:
        path.touch()
    found = exit_codes.traceback_path(internal_error(caught.value), path)
    assert (found == path) is journal
    assert journal or "in broken" in found.read_text()


def test_a_wait_outside_a_stage_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """A command without stages says on stderr what it waits for."""
    assert exit_codes.guard(lambda: announce("waiting 2 min more")) == 0
    assert capsys.readouterr() == ("", "waiting 2 min more\n")


class Closed(io.StringIO):
    """A standard output that cannot be flushed, with an error number."""

    def __init__(self, number: int = 0) -> None:
        super().__init__()
        self.number = number

    def flush(self) -> None:
        """Fail as Windows does if nobody reads any more."""
        if self.number:
            raise OSError(self.number, "no")


@pytest.mark.parametrize(
    ("error", "stdout", "expected"),
    [
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), Closed(), True),
        (OSError(errno.EINVAL, "Invalid argument"), Closed(errno.EINVAL), True),
        (OSError(errno.EINVAL, "Invalid argument"), Closed(errno.EPIPE), True),
        (OSError(errno.EINVAL, "Invalid argument"), Closed(), False),
        (OSError(errno.EINVAL, "Invalid argument"), Closed(errno.ENOSPC), False),
        (OSError(errno.EINVAL, "Invalid argument", "a file"), Closed(errno.EINVAL), False),
        (OSError(errno.ENOSPC, "No space left on device"), Closed(errno.EINVAL), False),
    ],
)
def test_a_reader_that_left(
    monkeypatch: pytest.MonkeyPatch,
    error: OSError,
    stdout: Closed,
    expected: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """A closed pipe is no error. Windows calls it an invalid argument, which of other files is one."""
    monkeypatch.setattr(sys, "stdout", stdout)
    assert exit_codes.reader_has_left(error) is expected
