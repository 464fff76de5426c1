"""Where every error ends: one clear message, one exit code, never a traceback for a user's mistake."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from unmoor.errors import Internal, Interrupted, UnmoorError, from_os_error
from unmoor.render import words
from unmoor.util.text import clean, indented

BLOCK = 60  # lines of a longer text that are shown, the last ones


def guard(command: Callable[[], Any]) -> int:
    """Run and return the exit code."""
    try:
        code = command()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return show(Interrupted("stopped before the end"))
    except UnmoorError as error:
        return show(error)
    except BrokenPipeError:  # `unmoor notes | head`: the reader has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 - the last resort, so that a user never meets a traceback
        return show(from_os_error(error) or _fault(error))
    return code if isinstance(code, int) else 0


def show(error: UnmoorError) -> int:
    """Write the message to stderr and return its exit code."""
    for line in message(error):
        click.echo(line, err=True)
    return error.exit_code


def message(error: UnmoorError, *, kept: bool = False) -> list[str]:
    """What, where, what to do next; a longer text (a build's last words) indented below.

    ``kept`` is that of `words.next_step`.
    """
    first, *more = str(error).splitlines() or [""]
    shown = more[-BLOCK:]
    lines = [click.style("error: ", fg="red", bold=True) + clean(first, limit=2000)]
    lines += [f"  | {indented(line, limit=500)}" for line in shown]
    first, *more = words.next_step(error, kept=kept).splitlines() or [""]
    lines += [click.style("next:  ", bold=True) + clean(first, limit=2000)]
    return lines + [f"       {indented(line, limit=500)}" for line in more]


def traceback_path(fault: Internal, journal: Path) -> Path:
    """Where the traceback of a fault lies: in the journal, else in a file of its own."""
    cause = fault.__cause__
    return journal if cause is None or journal.exists() else _written(cause)


def _fault(error: BaseException) -> Internal:
    return Internal(
        f"unmoor itself failed: {type(error).__name__}: {error}",
        next_step=f"report this with {_written(error)}, which holds the traceback; nothing was undone by it",
    )


def _written(error: BaseException) -> Path:
    handle, name = tempfile.mkstemp(prefix="unmoor-", suffix=".traceback")
    with os.fdopen(handle, "w") as stream:
        stream.writelines(traceback.format_exception(error))
    return Path(name)
