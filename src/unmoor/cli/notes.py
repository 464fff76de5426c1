"""``unmoor notes``: print the release notes exactly as they would be published."""

from __future__ import annotations

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

    The notes come from the changelog's section for the version. If there is none, they come from
    the news fragments, and if there are none, from the commits since the previous release.

    TAG does not have to exist yet: the notes are then those of HEAD. If the files do not state the
    version yet, a commit that sets it counts as made; if TAG is the next version, that commit also
    names it above the changelog's unreleased changes. The command needs no network.
    """
    from unmoor.adapters.process.shell import LocalShell
    from unmoor.adapters.process.supervisor import Processes
    from unmoor.cli import output, session
    from unmoor.cli.output import err
    from unmoor.cli.resolve_project import read_sources, resolve_checkout
    from unmoor.cli.run_options import RunOptions, TargetOptions
    from unmoor.core.stage import Reach
    from unmoor.filesystem import commands
    from unmoor.filesystem.temporary import temporary_folder
    from unmoor.products import Notes
    from unmoor.rehearsal.prepare import prepare

    with Processes() as processes, processes.guarded(), temporary_folder() as aside:
        sources = read_sources()
        here = resolve_checkout(target, sources, processes, tag=target.tag)
        # A copy with its own remote gives the same notes, and needs no network.
        prepared = prepare(here, LocalShell(processes=processes), aside, tag=target.tag, sources=sources)
        if target.tag is None:
            err(f"release notes of {prepared.tag}:")
        if prepared.diff:
            err("the files do not state this version yet: the notes assume one more commit, which does")
        options = RunOptions(
            target=TargetOptions(folder=prepared.checkout, path=prepared.path, tag=prepared.tag),
            until=("notes",),
            ceiling=Reach.READS,
            rehearsing=True,
            quiet=True,
            engine=False,
        )
        opened = session.open_session(options, processes)
        report = session.run_session(opened, options, processes)
    notes = report.product("notes")
    if isinstance(notes, Notes):
        click.echo(notes.body)
    same_command = ["unmoor", "notes", *target.arguments(), *([target.tag] if target.tag else [])]
    return output.print_ending(
        report, ceiling=options.ceiling, next_command=commands.join(same_command), rehearsal=True
    )
