"""What a run leaves for others at its end: documents for later jobs, its report, and the summary of the job.

Nothing here may hide how the run ended: what cannot be written is a warning, or a failure beside it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from unmoor.ci.github_actions import RunContext
from unmoor.cli import documents, output
from unmoor.core.events import Report
from unmoor.core.middleware import internal_error
from unmoor.errors import UnmoorError, from_os_error
from unmoor.release_request import ReleaseRequest
from unmoor.util.text import clean
from unmoor.util.values import replace

if TYPE_CHECKING:
    from unmoor.cli.run_options import RunOptions
    from unmoor.render.report.model import ReleaseReport

REPORT = "report.html"
"""The report of a run, in its folder."""


def with_documents(report: Report, request: ReleaseRequest) -> Report:
    """Write the documents of the run and add their sha256 to its report. A failure must not hide how the run ended."""
    try:
        return replace(report, documents=documents.write(report, request.folder, request.emergency))
    except (UnmoorError, OSError) as error:
        output.err(f"warning: the documents for later jobs could not be written: {clean(str(error), limit=500)}")
        return report


def write_page(page: ReleaseReport, folder: Path) -> None:
    """Write the report as a page into the folder of the run, and say where. A failure is only a warning."""
    from unmoor.filesystem.files import write_atomic
    from unmoor.render.html import release_page

    try:
        write_atomic(folder / REPORT, release_page.render(page).encode())
    except Exception as error:  # noqa: BLE001 - the release matters more than its report, whatever is wrong with it
        output.err(f"warning: the report of the run could not be written: {clean(str(error), limit=500)}")


def told_actions(report: Report, options: RunOptions, page: ReleaseReport | None) -> Report:
    """Write the summary and the outputs of the job. A failure counts, but must not hide how the run ended."""
    try:
        output.write_for_actions(RunContext.from_environ(os.environ), report, leg_name=options.leg_name, page=page)
    except OSError as error:
        failure = failed_at("the summary or the outputs of the job", error)
        return replace(report, unreported=(*report.unreported, failure))
    return report


def failed_at(where: str, error: OSError) -> UnmoorError:
    """Return the error for what cannot be written, with the place unless the system names a file."""
    failure = from_os_error(error) or internal_error(error)
    return failure if error.filename else failure.amended(where=where)
