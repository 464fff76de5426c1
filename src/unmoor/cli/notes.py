"""``unmoor notes``: the release notes, exactly as they would be published."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from unmoor.adapters.processes import Processes
from unmoor.adapters.shell import LocalShell
from unmoor.cli import session, talk
from unmoor.cli.talk import err
from unmoor.ports.git import Git
from unmoor.powers import checkout
from unmoor.products import Notes
from unmoor.stage import Reach
from unmoor.text import clean


@click.command(short_help="Print the release notes exactly as they would be published.")
@click.argument("tag", required=False)
@session.project_option
def command(tag: str | None, folder: Path) -> int:
    """Print the release notes of TAG as Markdown, exactly as they would be published.

    They come from the changelog's section for the version, else from the news fragments, else from
    the commits since the previous release. TAG need not exist yet: then they are those of HEAD.
    """
    with Processes() as processes, processes.guarded(), tempfile.TemporaryDirectory(prefix="unmoor-") as aside:
        here = checkout(folder, processes)
        asked = session.Asked(folder=folder, tag=tag, until="notes", limit=Reach.READS)
        if _is_to_come(tag, here):
            from unmoor.rehearsal.prepare import prepare

            prepared = prepare(here, LocalShell(processes=processes), Path(aside), tag=tag)
            for line in prepared.said:
                err(clean(line, limit=500))
            asked = session.Asked(
                folder=prepared.checkout, tag=prepared.tag, until="notes", limit=Reach.READS, rehearsing=True
            )
        opened = session.opened(asked, processes)
        report = session.conduct(opened, asked, processes)
    notes = report.product("notes")
    if isinstance(notes, Notes):
        click.echo(notes.body)
    return talk.close(report, limit=asked.limit, again="unmoor notes" + (f" {clean(tag)}" if tag else ""))


def _is_to_come(tag: str | None, here: Git) -> bool:
    """Whether the tag does not exist yet: then the notes are those of a release that is only being prepared."""
    from unmoor import versions

    if tag is not None:
        versions.read_tag(tag)
        return here.commit_of(tag) is None
    head = here.head()
    return head is not None and versions.the_tag_at(here.tags(), head) is None
