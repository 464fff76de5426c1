"""Run ``unmoor clean artifacts`` and ``clean caches``: list what runs left, decide, and delete it with --apply."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal, TypeAlias

import click
import msgspec

from unmoor import advice
from unmoor.adapters.factory import open_leftovers
from unmoor.adapters.process.supervisor import Processes
from unmoor.ci.github_actions import RunContext
from unmoor.cli import output, session
from unmoor.cli.resolve_project import open_world, read_sources, resolve_checkout, resolve_project
from unmoor.errors import Refused
from unmoor.maintenance.deleting import Deleted, delete
from unmoor.maintenance.leftovers import ArtifactFacts, CacheFacts, LeftoverVerdict, judge_artifacts, judge_caches
from unmoor.ports.leftovers import Cache, Leftovers, RunArtifact
from unmoor.util.text import clean, count_of, size

if TYPE_CHECKING:
    from unmoor.cli.run_options import TargetOptions

Kind: TypeAlias = Literal["artifacts", "caches"]


class CleanedLeftover(msgspec.Struct, frozen=True, kw_only=True):
    """One artifact or cache: what it is called and belongs to, its size in bytes, and what becomes of it.

    ``at`` is when an artifact was made, or a cache was last used. ``why`` is why it stays, empty if it goes.
    """

    id: int
    name: str
    of: str
    size: int
    at: datetime
    why: str
    deleted: bool = False


class CleanLeftoversDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The output of ``clean artifacts --json`` and ``clean caches --json``."""

    world: str
    kind: Kind
    applied: bool
    leftovers: tuple[CleanedLeftover, ...]


def run(kind: Kind, target: TargetOptions, *, older_than: float, apply: bool, as_json: bool) -> int:
    """Decide, delete with ``apply``, print what goes and what stays, and return the exit code.

    Raises what ended the deletions after everything is printed, so that nobody takes half for all.
    """
    with Processes() as processes, processes.guarded():
        sources = read_sources()
        here = resolve_checkout(target, sources, processes, tag=None)
        project = resolve_project(here, here.head(), sources, RunContext.from_environ(os.environ))
        world = open_world(target.world, project, repository=project.repository, required=True)
        if not world.forge.repository:
            what = "the git remote is not on GitHub, so there are no artifacts and caches"
            raise Refused(what, where=str(here.folder), next_step=advice.NAME_REPOSITORY())
        leftovers = open_leftovers(world, processes)
        verdicts = _judge(kind, leftovers, timedelta(seconds=older_than))
        done = delete(leftovers, verdicts, say=output.err) if apply else Deleted()
    found = tuple(_summarize(each, done) for each in verdicts)
    if as_json:
        session.echo_json(CleanLeftoversDocument(world=world.name, kind=kind, applied=apply, leftovers=found))
    else:
        when = "made" if kind == "artifacts" else "last used"
        for line in output.align_columns(("id", "name", "of", "size", when, "", "why"), _rows(found)):
            click.echo(line)
    _conclude(kind, found, apply=apply)
    if done.error is not None:
        raise done.error
    return 0


def _judge(kind: Kind, leftovers: Leftovers, older_than: timedelta) -> tuple[LeftoverVerdict, ...]:
    now = datetime.now(UTC)
    if kind == "artifacts":
        # What has not ended is looked up after the list, so that no run is missed that began in between.
        artifacts = leftovers.artifacts()
        facts = ArtifactFacts(unfinished=leftovers.unfinished(), tags=leftovers.tags(), is_public=leftovers.is_public)
        return judge_artifacts(artifacts, facts, older_than=older_than, now=now)
    caches = leftovers.caches()
    there = CacheFacts(
        branches=leftovers.branches(), tags=leftovers.tags(), open_pull_requests=leftovers.open_pull_requests()
    )
    return judge_caches(caches, there, older_than=older_than, now=now)


def _summarize(verdict: LeftoverVerdict, done: Deleted) -> CleanedLeftover:
    each = verdict.leftover
    why = verdict.why or done.spared.get(each.id, "")
    name, of, at = _described(each)
    return CleanedLeftover(
        id=each.id,
        name=clean(name, 200),
        of=clean(of, 200),
        size=each.size,
        at=at,
        why=str(why),
        deleted=each.id in done.gone,
    )


def _described(leftover: RunArtifact | Cache) -> tuple[str, str, datetime]:
    if isinstance(leftover, Cache):
        return leftover.key, leftover.ref, leftover.used
    run = f"run {leftover.run}" if leftover.run is not None else "no run"
    return leftover.name, f"{leftover.ref or 'nothing known'}, {run}", leftover.created


def _rows(found: Sequence[CleanedLeftover]) -> list[tuple[str, ...]]:
    """What goes, then what stays, with the reasons."""
    return [
        (
            str(each.id),
            each.name,
            each.of,
            size(each.size),
            f"{each.at.astimezone(UTC):%Y-%m-%d}",
            "deleted" if each.deleted else "stays" if each.why else "goes",
            each.why,
        )
        for each in sorted(found, key=lambda each: bool(each.why))
    ]


def _conclude(kind: Kind, found: Sequence[CleanedLeftover], *, apply: bool) -> None:
    counted = [each for each in found if each.deleted or not (apply or each.why)]
    what = f"{count_of(len(counted), kind.removesuffix('s'))} ({size(sum(each.size for each in counted))})"
    if apply:
        output.err(f"deleted {what}")
    else:
        output.err(f"would delete {what}" + ("; to delete, add --apply" if counted else ""))
