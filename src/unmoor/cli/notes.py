"""``unmoor notes``: the release notes, exactly as they would be published."""

from __future__ import annotations

import shlex
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from unmoor.cli.help import examples
from unmoor.cli.options import target_options

if TYPE_CHECKING:
    from unmoor.cli.run_options import TargetOptions


@click.command(
    short_help="Print the release notes exactly as they would be published.",
    epilog=examples("unmoor notes", "unmoor notes v1.2.3 > notes.md"),
)
@target_options(world=False, config=False)
def command(*, target: TargetOptions) -> int:
    """Print the release notes of TAG as Markdown, exactly as they would be published.

    They come from the changelog's section for the version, else from the news fragments, else from
    the commits since the previous release. TAG need not exist yet: then they are those of HEAD, and of a
    commit that sets the version, where the files do not say it. No network is needed.
    """
    from unmoor.adapters.process.shell import LocalShell
    from unmoor.adapters.process.supervisor import Processes
    from unmoor.cli import output, session
    from unmoor.cli.output import err
    from unmoor.cli.resolve_project import read_sources, resolve_checkout
    from unmoor.cli.run_options import RunOptions, TargetOptions
    from unmoor.core.stage import Reach
    from unmoor.products import Notes
    from unmoor.rehearsal.prepare import prepare

    with Processes() as processes, processes.guarded(), tempfile.TemporaryDirectory(prefix="unmoor-") as aside:
        sources = read_sources()
        here = resolve_checkout(target, sources, processes, tag=target.tag)
        # In a copy with a remote of its own: the notes are the same there, and nothing has to be asked.
        prepared = prepare(here, LocalShell(processes=processes), Path(aside), tag=target.tag, sources=sources)
        if target.tag is None:
            err(f"the notes of {prepared.tag}:")
        if prepared.diff:
            err("its version is not in the files yet: a commit that sets it is taken for made, and counts as one here")
        asked = RunOptions(
            target=TargetOptions(folder=prepared.checkout, path=prepared.path, tag=prepared.tag),
            until=("notes",),
            ceiling=Reach.READS,
            rehearsing=True,
            quiet=True,
            engine=False,
        )
        opened = session.open_session(asked, processes)
        report = session.run_session(opened, asked, processes)
    notes = report.product("notes")
    if isinstance(notes, Notes):
        click.echo(notes.body)
    again = ["unmoor", "notes", *target.words(), *([target.tag] if target.tag else [])]
    return output.close(report, ceiling=asked.ceiling, again=shlex.join(again))
