"""``unmoor metrics check``: judge the figures of a project, and keep an issue about what is broken."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from unmoor import advice
from unmoor.adapters.process.supervisor import Processes
from unmoor.ci.github_actions import RunContext
from unmoor.cli import output, workflow_log
from unmoor.cli.kept_issue import IssueDocument, find_issue
from unmoor.cli.metrics_figures import figures_of
from unmoor.cli.metrics_store import open_metrics
from unmoor.errors import CheckFailed
from unmoor.metrics.judge.judging import judge, limits_of, summary, with_verdict
from unmoor.metrics.judge.model import RULES, RuleResult, RuleVerdict
from unmoor.render.actions import annotation
from unmoor.render.markdown import table
from unmoor.util.text import clean, count_of

if TYPE_CHECKING:
    from unmoor.cli.run_options import TargetOptions
    from unmoor.ports.world import World

_HEAD = ("rule", "of", "found", "limit", "why")


class MetricsDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The output of ``metrics check --json``. ``issue`` is null without ``--issue``."""

    broken: tuple[RuleResult, ...]
    unknown: tuple[RuleResult, ...]
    holds: tuple[RuleResult, ...]
    issue: IssueDocument | None = None


def run(target: TargetOptions, *, store: str | None, issue: bool, as_json: bool) -> int:
    """Judge, print, write what GitHub Actions shows, and keep the issue.

    Raises `CheckFailed` if a rule is broken, after all of that; else as the store and the forge do.
    """
    now = datetime.now(UTC)
    with Processes() as processes, processes.guarded():
        opened = open_metrics(target, processes, store=store, forge=issue)
        figures = figures_of(opened.store, now=now)
        if figures.newest is None:
            output.err(f"warning: nothing is recorded in {opened.store.where}; to keep runs: unmoor metrics fetch")
        said = judge(figures, limits_of(opened.project.settings.metrics), now)
        if not as_json:
            _print(said)
        _tell_actions(said, opened.project.ci)
        kept = _keep_issue(said, opened.world, processes) if issue and opened.world is not None else None
    broken = with_verdict(said, RuleVerdict.BROKEN)
    if as_json:
        from unmoor.cli.session import echo_json

        unknown, holds = with_verdict(said, RuleVerdict.UNKNOWN), with_verdict(said, RuleVerdict.HOLDS)
        echo_json(MetricsDocument(broken=broken, unknown=unknown, holds=holds, issue=kept))
    if broken:
        raise CheckFailed(summary(said), next_step=advice.CORRECT_FIGURES())
    output.err(summary(said))
    return 0


def _print(said: Sequence[RuleResult]) -> None:
    """Print what is known, then what is unknown, apart from it."""
    known = [each for each in said if each.verdict is not RuleVerdict.UNKNOWN]
    rows = [(str(each.verdict), *_row(each)) for each in known]
    for line in output.align_columns(("", *_HEAD), rows):
        click.echo(line)
    unknown = with_verdict(said, RuleVerdict.UNKNOWN)
    if unknown:
        click.echo(("\n" if known else "") + "unknown, which is no pass:")
    for line in output.align_columns(("rule", "of", "why"), [_unknown_row(each) for each in unknown]):
        click.echo(f"  {line}")


def _row(each: RuleResult) -> tuple[str, str, str, str, str]:
    return (each.rule, each.subject, each.found, each.limit, each.why)


def _unknown_row(each: RuleResult) -> tuple[str, str, str]:
    return (each.rule, each.subject, each.why)


def _tell_actions(said: Sequence[RuleResult], context: RunContext) -> None:
    """Write annotations and the job summary, in a run of GitHub Actions."""
    broken, unknown = with_verdict(said, RuleVerdict.BROKEN), with_verdict(said, RuleVerdict.UNKNOWN)
    if context.actions:
        for each in broken:
            text = f"{RULES[each.rule]}: {each.found}, limit {each.limit} ({each.why})"
            workflow_log.command(annotation("error", clean(each.subject), clean(text)))
        if unknown:
            text = f"{count_of(len(unknown), 'rule')} cannot speak yet; the job summary lists them"
            workflow_log.command(annotation("notice", "metrics", text))
    if context.summary is not None:
        _append_summary(context.summary, said)


def _append_summary(path: Path, said: Sequence[RuleResult]) -> None:
    parts = ["## Metrics\n\n", f"{summary(said)}\n\n"]
    for verdict, title in (
        (RuleVerdict.BROKEN, "Broken"),
        (RuleVerdict.UNKNOWN, "Unknown, which is no pass"),
        (RuleVerdict.HOLDS, "Kept"),
    ):
        found = with_verdict(said, verdict)
        if not found:
            continue
        parts.append(f"### {title}\n\n")
        if verdict is RuleVerdict.UNKNOWN:
            parts.append(table(("rule", "of", "why"), [_unknown_row(each) for each in found]))
        else:
            parts.append(table(_HEAD, [_row(each) for each in found]))
    with path.open("a", encoding="utf-8") as stream:
        stream.write("".join(parts))


def _keep_issue(said: Sequence[RuleResult], world: World, processes: Processes) -> IssueDocument:
    from unmoor.metrics.judge.notice import MARKER, write_notice

    kept = find_issue(MARKER, world, processes)
    return kept.keep(write_notice(said, kept.text))
