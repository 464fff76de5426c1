"""Run ``unmoor report``: read what is known of a release, and print it or write it as a page."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from unmoor.adapters.process.supervisor import Processes
from unmoor.cli import output, session
from unmoor.cli.report_reading import ReportReader
from unmoor.cli.run_options import FileOptions, RunOptions, TargetOptions
from unmoor.errors import TimedOut, ToolMissing, UnmoorError, from_os_error
from unmoor.filesystem.files import may_write_in, write_atomic
from unmoor.util.text import clean, size

if TYPE_CHECKING:
    from unmoor.render.report.model import ReleaseReport

STDOUT = Path("-")
"""The page goes to stdout instead of into a file."""
OPENED = "surfaces-report.html"
"""The page that ``--open`` writes into the run folder, beside that of the run itself."""


def run(target: TargetOptions, *, file: Path | None, opens: bool, digests: tuple[str, ...], as_json: bool) -> int:
    """Read the release, print or write its report, and return the exit code of its state.

    Refuses a place where no file can be written before it reads anything.
    """
    if file is not None and file != STDOUT:
        _require_place(file)
    options = RunOptions(target=target, as_json=as_json, engine=False, files=FileOptions(digests=digests))
    with Processes() as processes, processes.guarded():
        opened = session.open_session(options, processes)
        report = ReportReader(opened=opened, options=options, processes=processes).read()
        if opens:
            opened.request.folder.open()
            file = opened.request.folder.path / OPENED
        if file is not None:
            _write(report, file)
        if opens and file is not None:
            _open(file, processes)
    if as_json:
        session.echo_json(report)
    elif file is None:
        from unmoor.render.report.markdown import markdown

        click.echo(markdown(report), nl=False)
    output.err(clean(report.summary, 500))
    return report.exit_code


def _require_place(file: Path) -> None:
    """Raise the error for a place where no file can be written: a link, a device, or a folder that takes none."""
    folder = file.absolute().parent
    if not folder.is_dir():
        raise click.BadParameter(f"there is no folder {clean(str(folder))}", param_hint="--html")
    if file.is_symlink() or (file.exists() and not file.is_file()):
        what = f"{clean(str(file))} is not a regular file; name one, or - for stdout"
        raise click.BadParameter(what, param_hint="--html")
    if not may_write_in(folder):
        raise _no_place(folder, os.strerror(errno.EACCES))


def _no_place(where: Path, why: str) -> UnmoorError:
    """The error for a place where this user can write no file."""
    refused = from_os_error(PermissionError(errno.EACCES, why, str(where)))
    assert refused is not None  # noqa: S101 - a missing permission is an error of this machine
    return refused


def _write(report: ReleaseReport, file: Path) -> None:
    """Write the page as a whole, or nothing."""
    from unmoor.render.html import release_page

    page = release_page.render(report).encode()
    if file == STDOUT:
        click.echo(page, nl=False)
        return
    try:
        write_atomic(file, page)
    except OSError as error:
        raise from_os_error(error) or _no_place(file, error.strerror or str(error)) from error
    output.err(f"wrote {clean(str(file))} ({size(len(page))})")


def _open(file: Path, processes: Processes) -> None:
    """Open a page in the browser. The page is there all the same if that fails."""
    from unmoor.adapters.process.browser import show_file
    from unmoor.adapters.process.shell import LocalShell

    try:
        why = show_file(file.absolute(), LocalShell(processes=processes), os.environ)
    except (TimedOut, ToolMissing) as error:
        why = error.what
    if why:
        output.err(f"warning: no browser could be opened ({clean(why, 200)}); the page is {clean(str(file))}")
