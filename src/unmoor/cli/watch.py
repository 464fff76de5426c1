"""``unmoor watch``: find releases that drifted."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

import click

from unmoor.cli.help import examples
from unmoor.cli.options import json_option, target_options

if TYPE_CHECKING:
    from unmoor.cli.run_options import TargetOptions

_AGE = re.compile(r"([0-9]{1,5}) ?([dwy])")
_DAYS = {"d": 1, "w": 7, "y": 365}


class Since(click.ParamType[float]):
    """A time in the past, in seconds since 1970: a date, or an age such as ``90d``, ``12w`` or ``1y``."""

    name = "since"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read a date of the calendar or an age."""
        if isinstance(value, float):
            return value
        text = str(value).strip().lower()
        if found := _AGE.fullmatch(text):
            return max(datetime.now(UTC).timestamp() - int(found[1]) * _DAYS[found[2]] * 86_400.0, 0.0)
        try:
            return max(datetime.combine(date.fromisoformat(text), time(), UTC).timestamp(), 0.0)
        except ValueError:
            self.fail(f"{text[:40]!r} is neither an age nor a date: write 90d, 12w, 1y or 2026-01-31", param, ctx)


@click.command(
    short_help="Find releases that drifted: stopped, changed, yanked, stale.",
    epilog=examples(
        "unmoor watch",
        "unmoor watch --since 1y",
        "unmoor watch v1.2.3 v1.2.2",
        "unmoor watch --issue     keep one issue about what is found",
    ),
)
@click.argument("tags", metavar="[TAG]...", nargs=-1)
@click.option(
    "--since",
    type=Since(),
    default="90d",
    show_default=True,
    metavar="AGE",
    help="Look at tags that were made since then: an age such as 90d, 12w or 1y, or a date. Ignored if tags are named.",
)
@click.option("--issue", is_flag=True, help="Open an issue if something is found, keep it up to date, and close it.")
@target_options(tag=False)
@json_option
def command(*, tags: tuple[str, ...], since: float, issue: bool, target: TargetOptions, as_json: bool) -> int:
    """Look at many releases as `unmoor status` does at one, and list what is not as it should be.

    The command finds tags that were never released, runs that stopped, drafts that are left, releases and indexes that
    differ from the manifest, tags that moved, versions that are yanked, projects that are archived or quarantined,
    missing attestations, and floating tags that are stale. Each finding comes with what fixes it. It only reads, and
    runs no code of the project.

    The tags are those made in the last 90 days, and that of the highest release. What cannot be read is listed apart
    as unknown, and is no finding. A finding that is accepted, in watch-ignore of [tool.unmoor], does not count.

    With --issue the command keeps exactly one issue of its own: it opens it, updates its text, and closes it when
    nothing of it is left.

    The exit code is 0 if nothing is found, 9 if a digest differs or a tag names another commit, 12 for any other
    finding, and 10 if nothing is found, but something cannot be read.
    """
    from unmoor.cli.watch_run import run

    return run(target, tags=tags, since=since, issue=issue, as_json=as_json)
