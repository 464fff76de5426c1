"""``unmoor metrics``: keep figures about a project and its pipeline, and judge them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from unmoor.cli.help import examples
from unmoor.cli.options import Age, Decorator, json_option, target_options

if TYPE_CHECKING:
    from unmoor.cli.run_options import TargetOptions

store_option: Final[Decorator] = click.option(
    "--store",
    metavar="STORE",
    help="Where records are kept, as branch:NAME or folder:PATH, instead of the store in the settings.",
)


@click.group(short_help="Keep figures of runs and measurements, and judge them.")
def command() -> None:
    """Keep figures of runs and measurements for longer than the forge does, and judge them."""


@command.command(
    short_help="Keep what is new of the forge's runs, jobs, releases and updates.",
    epilog=examples(
        "unmoor metrics fetch",
        "unmoor metrics fetch --store folder:metrics --since 30d",
        "unmoor metrics fetch --requests 4000     with a token of a user, which may send 5,000 an hour",
    ),
)
@store_option
@click.option(
    "--since",
    type=Age(),
    default="400d",
    show_default=True,
    metavar="AGE",
    help="Read what is younger than this, such as 30d or 12w.",
)
@click.option(
    "--requests",
    type=click.IntRange(1, 100_000),
    default=900,
    show_default=True,
    metavar="COUNT",
    help="Stop after so many requests to the forge. A workflow's token may send 1,000 an hour.",
)
@target_options(tag=False)
@json_option
def fetch(*, store: str | None, since: float, requests: int, target: TargetOptions, as_json: bool) -> int:
    """Read what is new of the forge's past, and add it to the store.

    That is: completed runs of workflows with the jobs of all their attempts, published releases, and pull requests
    that update dependencies. The forge forgets runs after 400 days, the store keeps them.

    A fetch asks only for what the store does not have. It stops before its requests are used up and says what is left;
    the next fetch goes on there. Runs that were not completed last time are looked at again. If something fails, what
    was read completely before is kept.
    """
    from unmoor.cli.metrics_fetch import run

    return run(target, store=store, since=since, requests=requests, as_json=as_json)


@command.command(
    short_help="Keep figures from files of other tools.",
    epilog=examples(
        "unmoor metrics record coverage.xml junit.xml",
        "unmoor metrics record bench.json --store folder:metrics",
        "unmoor metrics record ruff.sarif --dry-run",
    ),
)
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@click.option(
    "--commit",
    metavar="ID",
    help="The full id of the commit that was measured.  [default: the one that the file names, that of the run of"
    " GitHub Actions, or the one that is checked out]",
)
@click.option(
    "--import",
    "imports",
    is_flag=True,
    help="Also take lines of runs, jobs, releases and updates, as from another store. Without it only what is measured"
    " is taken, since the project's code may have written the file.",
)
@store_option
@click.option("--dry-run", is_flag=True, help="Read the files and the store, and add nothing.")
@target_options(tag=False)
@json_option
def record(
    *,
    files: tuple[Path, ...],
    commit: str | None,
    imports: bool,
    store: str | None,
    dry_run: bool,
    target: TargetOptions,
    as_json: bool,
) -> int:
    """Keep the figures in files of other tools, with the commit that they are about.

    A file is recognized by its content, whatever its name is: JSON of pytest-benchmark, coverage in coverage.py's
    XML, results of tests in JUnit's XML, findings in SARIF, reports of `unmoor bench compare`, and lines of records.

    Either all files are kept or, if one of them cannot be read, none. A figure that is kept already changes nothing.
    """
    from unmoor.cli.metrics_record import run

    return run(target, files, commit=commit, imports=imports, store=store, dry_run=dry_run, as_json=as_json)


@command.command(
    short_help="Judge the figures by the rules of the settings.",
    epilog=examples(
        "unmoor metrics check",
        "unmoor metrics check --issue     keep one issue about what is broken",
    ),
)
@click.option("--issue", is_flag=True, help="Open an issue if a rule is broken, keep it up to date, and close it.")
@store_option
@target_options(tag=False)
@json_option
def check(*, issue: bool, store: str | None, target: TargetOptions, as_json: bool) -> int:
    """Judge the recorded figures: runs that succeed, flaky jobs, time budgets, slow-downs, coverage, findings, updates.

    No rule speaks on fewer than 20 runs. What a rule cannot know is unknown: that is listed apart, it is no pass, and
    it closes no issue. Cancelled and skipped runs are neither a success nor a failure.

    The limits are in [tool.unmoor.metrics]. In a job of GitHub Actions there are annotations and a summary, too. With
    --issue the command keeps exactly one issue of its own: it opens it, updates its text, and closes it when every
    rule that was broken holds again.

    The exit code is 8 if a rule is broken, else 0.
    """
    from unmoor.cli.metrics_check import run

    return run(target, store=store, issue=issue, as_json=as_json)


@command.command(
    short_help="Write a page with the figures, or a database.",
    epilog=examples(
        "unmoor metrics report --html metrics.html",
        "unmoor metrics report --database metrics.sqlite",
    ),
)
@click.option(
    "--html",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the page to this file.",
)
@click.option(
    "--database",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write all records to this SQLite database, whose schema is in the reference.",
)
@store_option
@target_options(tag=False)
def report(*, file: Path | None, database: Path | None, store: str | None, target: TargetOptions) -> int:
    """Write one static page with what the rules say and the figures of the last half year.

    The page has no scripts and loads nothing, so it can be opened from a disk or served from anywhere. Each chart has
    its values in a table beside it. The page is as of the newest record, so the same records give the same bytes.
    """
    from unmoor.cli.metrics_report import run

    if file is None and database is None:
        msg = "name at least one file to write: --html FILE or --database FILE"
        raise click.UsageError(msg)
    return run(target, store=store, file=file, database=database)
