"""What a run adds to the advice of an error: what a rehearsal needs, and where temporary files have to be."""

from __future__ import annotations

import os

from unmoor import advice
from unmoor.cli import output
from unmoor.cli.run_options import RunOptions
from unmoor.errors import BuildFailed, CheckFailed, ToolMissing, UnmoorError
from unmoor.filesystem.temporary import why_elsewhere, why_unfit
from unmoor.util.text import clean, list_some


def warn_of_temporary_folder() -> None:
    """Warn if temporary files are not where the user wants them, or if builds cannot work there."""
    for problem in filter(None, (why_elsewhere(os.environ), why_unfit())):
        output.err(f"warning: {clean(problem, limit=500)}")


def advise(error: UnmoorError, *, options: RunOptions) -> UnmoorError:
    """Give an error of a rehearsal the advice for one: a change counts only once it is committed.

    If virtual environments do not work on this machine, that comes first: it may be no fault of the project.
    """
    if isinstance(error, BuildFailed | CheckFailed | ToolMissing) and (why := why_unfit()):
        error = error.amended(next_step=advice.USE_OTHER_TMPDIR(why=clean(why, limit=500)).then(error.next_step))
    if not options.rehearsing:
        return error
    rehearsed = error.in_rehearsal()
    if error.retryable or not options.uncommitted:
        return rehearsed
    files = list_some([clean(path) for path in options.uncommitted])
    return rehearsed.amended(next_step=advice.COMMIT_CHANGES(files=files).then(rehearsed.next_step))
