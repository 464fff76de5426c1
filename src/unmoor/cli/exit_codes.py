"""Turn every error into one message and one exit code. The user never sees a traceback."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from unmoor import advice
from unmoor.advice import NextStep
from unmoor.errors import Internal, Interrupted, UnmoorError, from_os_error
from unmoor.render.advice import next_step
from unmoor.util.announce import announcing_to
from unmoor.util.text import clean, indented

MAX_LINES = 60
"""Lines that are shown of a long message, besides the first; they are the last ones."""


def guard(command: Callable[[], Any]) -> int:
    """Run a command and return its exit code. Print the message of an error on stderr."""
    try:
        # What stages wait for is shown by the listeners; this is for commands that run none.
        with announcing_to(lambda text: click.echo(clean(text), err=True)):
            code = command()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        # One line: nothing went wrong.
        click.echo(message(stopped := Interrupted("stopped before it was finished"))[0], err=True)
        return stopped.exit_code
    except UnmoorError as error:
        return show(error)
    except Exception as error:  # noqa: BLE001 - the last resort, so that a user never sees a traceback
        if isinstance(error, OSError) and reader_has_left(error):  # `unmoor notes | head`
            drop_stdout()
            return 0
        return show(from_os_error(error) or _internal_error(error))
    return code if isinstance(code, int) else 0


def reader_has_left(error: OSError) -> bool:
    """Whether an error says that the reader of stdout has closed the pipe.

    On Windows it is an invalid argument, as other errors are: then stdout cannot be flushed either.
    """
    if isinstance(error, BrokenPipeError):
        return True
    if error.errno != errno.EINVAL or error.filename is not None:
        return False
    try:
        sys.stdout.flush()
    except OSError as again:
        return again.errno in {errno.EINVAL, errno.EPIPE}
    return False


def drop_stdout() -> None:
    """Discard what is left to write to stdout: it cannot be written, and Python would fail at the end to write it."""
    with open(os.devnull, "wb") as nothing:  # noqa: PTH123 - it is no path everywhere
        os.dup2(nothing.fileno(), sys.stdout.fileno())


def show(error: UnmoorError) -> int:
    """Print the message of an error on stderr and return its exit code."""
    for line in message(error):
        click.echo(line, err=True)
    return error.exit_code


def message(error: UnmoorError, *, again: str = "") -> list[str]:
    """Return the lines of an error message: what went wrong, where, the next step, and how to read more about it.

    Further lines of a long error, such as the last lines of a build's output, are indented below the first.
    ``again`` is passed to `next_step`.
    """
    first, *more = str(error).splitlines() or [""]
    shown = more[-MAX_LINES:]
    lines = [click.style("error: ", fg="red", bold=True) + clean(first, limit=2000)]
    lines += [f"  | {indented(line, limit=500)}" for line in shown]
    first, *more = next_step(error, again=again).splitlines() or [""]
    lines += [click.style("next:  ", bold=True) + clean(first, limit=2000)]
    lines += [f"       {indented(line, limit=500)}" for line in more]
    explained = [each for each in error.advice_ids if each not in {advice.WAIT.id, advice.RUN_AGAIN.id}]
    if explained:
        lines += [click.style("more:  ", bold=True) + f"unmoor explain {' '.join(explained)}"]
    return lines


def traceback_path(error: Internal, journal: Path) -> Path:
    """Return the file that holds the traceback of an internal error: the journal, or a new file if there is none."""
    cause = error.__cause__
    return journal if cause is None or journal.exists() else _write_traceback(_text_of(cause))


def _internal_error(error: BaseException) -> Internal:
    what = f"unmoor itself failed: {type(error).__name__}: {error}"
    return Internal(what, next_step=report_bug(_text_of(error)))


def report_bug(trace: str) -> NextStep:
    """Write a traceback to a file, and return what to do with it."""
    try:
        return advice.REPORT_BUG(file=_write_traceback(trace))
    except OSError as disk:
        return advice.FREE_SPACE_FOR_TRACEBACK(reason=disk.strerror)


def _text_of(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


def _write_traceback(trace: str) -> Path:
    handle, name = tempfile.mkstemp(prefix="unmoor-", suffix=".traceback")
    with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as stream:
        stream.write(trace)
    return Path(name)
