"""``unmoor metrics report``: write a page with the figures of a project."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from unmoor.adapters.process.supervisor import Processes
from unmoor.cli import output
from unmoor.cli.metrics_figures import figures_of
from unmoor.cli.metrics_store import open_metrics
from unmoor.filesystem.files import write_atomic
from unmoor.metrics.judge.judging import judge, limits_of, summary
from unmoor.metrics.store.database import build
from unmoor.render.html.metrics_page import metrics_page
from unmoor.util.text import clean, size

if TYPE_CHECKING:
    from unmoor.cli.run_options import TargetOptions

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def run(target: TargetOptions, *, store: str | None, file: Path | None, database: Path | None) -> int:
    """Write the database, and the page, whose rules are judged at the time of the newest figure.

    Raises as the store does, and `Refused` if the file of the database is another one.
    """
    with Processes() as processes, processes.guarded():
        opened = open_metrics(target, processes, store=store)
        if database is not None:
            build(opened.store.read(), database).close()
            output.err(f"wrote {clean(str(database))} ({size(database.stat().st_size)})")
        if file is None:
            return 0
        figures = figures_of(opened.store)
    limits = limits_of(opened.project.settings.metrics)
    said = judge(figures, limits, figures.newest or _NEVER)
    forge = opened.world.forge.repository if opened.world is not None else opened.project.repository
    name = forge or opened.project.settings.project or "this project"
    page = metrics_page(name, figures, said, limits)
    write_atomic(file, page)
    output.err(f"wrote {clean(str(file))} ({size(len(page))}): {summary(said)}")
    return 0
