"""Run ``unmoor bench comment``: the report of a comparison as one comment on a pull request, or in the summary."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from unmoor import advice
from unmoor.adapters.factory import open_checkout, open_comments
from unmoor.adapters.process.supervisor import Processes
from unmoor.ci.github_actions import RunContext
from unmoor.cli import output, workflow_log
from unmoor.cli.resolve_project import remote_repository
from unmoor.config.worlds import read_world, real_world
from unmoor.errors import ConfigError, Denied, Refused, Unknown
from unmoor.filesystem.files import read_regular
from unmoor.metrics.compare.markdown import report_markdown
from unmoor.metrics.compare.report import LARGEST, BenchReport, decode_report

if TYPE_CHECKING:
    from unmoor.cli.run_options import TargetOptions
    from unmoor.ports.comments import Comment, Comments
    from unmoor.ports.world import World

MARKER: Final = "<!-- unmoor bench comment -->"
"""How each comment begins; nobody sees it on the page."""
_PULL: Final = re.compile(r"refs/pull/([1-9][0-9]{0,9})/(?:merge|head)")


def run(target: TargetOptions, report: Path, *, pull_request: int | None) -> int:
    """Write the comment, print its address, and return 0, whatever the report says: the comparison itself failed then.

    If the token may not write, as in a run for a fork, the report goes into the summary of the job. Raises `Denied`
    if there is no such summary, `Refused` for a file that is no report, `ConfigError` without a pull request.
    """
    found = _read(report)
    context = RunContext.from_environ(os.environ)
    number = pull_request or _pull_request_of(os.environ.get("GITHUB_REF", "") if context.actions else "")
    text = report_markdown(found)
    with Processes() as processes, processes.guarded():
        world = _open_world(target, context, processes)
        try:
            comment = write_comment(open_comments(world, processes), number, f"{MARKER}\n{text}")
        except Denied as error:
            # Neither a wrong credential nor a pull request that is not there: the token reads, and may not write.
            if context.summary is None or error.next_step != advice.ALLOW_COMMENTS():
                raise
            _summarize(context.summary, text, f"the token may not comment ({error.what})")
            return 0
    click.echo(comment.url)
    return 0


def write_comment(comments: Comments, number: int, body: str) -> Comment:
    """Write the one comment: update the oldest of ours, or create it if there is none.

    Raises as `Comments` does. If the answer is lost after writing, what is there counts.
    """
    own = comments.own(number, MARKER)
    if own:
        return own[0] if own[0].body.strip() == body.strip() else comments.update(own[0], body)
    try:
        return comments.create(number, body)
    except Unknown:
        written = comments.own(number, MARKER)
        if not written:
            raise
        return written[0]


def _read(report: Path) -> BenchReport:
    try:
        data = read_regular(report, LARGEST + 1)
    except OSError as error:
        what = f"it cannot be read: {error.strerror or error}"
        raise Refused(what, where=str(report), next_step=advice.NAME_BENCH_REPORT()) from error
    return decode_report(data, where=str(report))


def _pull_request_of(ref: str) -> int:
    found = _PULL.fullmatch(ref)
    if found is None:
        raise ConfigError("there is no pull request to comment on", next_step=advice.NAME_COMMENTED())
    return int(found[1])


def _open_world(target: TargetOptions, context: RunContext, processes: Processes) -> World:
    """The world by the repository of the run, or else of the git remote: the job needs no checkout of the project."""
    repository = context.repository
    if not repository and target.world is None:
        repository = remote_repository(open_checkout(target.folder, processes))
    if target.world is not None:
        return read_world(target.world, os.environ, repository=repository)
    if not repository:
        what = "cannot determine which repository on the forge this is"
        raise Refused(what, where=str(target.folder), next_step=advice.NAME_REPOSITORY())
    return real_world(repository, os.environ)


def _summarize(path: Path, text: str, why: str) -> None:
    from unmoor.render.actions import annotation

    with path.open("a", encoding="utf-8", newline="\n") as stream:
        stream.write(text)
    output.err(f"warning: {why}; the report is in the summary of the job")
    workflow_log.command(
        annotation("notice", "benchmarks", "the report is in the summary of the job, not in a comment")
    )
