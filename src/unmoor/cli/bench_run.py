"""Run ``unmoor bench compare``: find the two commits, compare them, and print the verdicts."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Final

import click

from unmoor import advice
from unmoor._version import __version__
from unmoor.adapters.factory import create_services
from unmoor.adapters.git.checkout import GitCheckout
from unmoor.adapters.git.history import commit_at, merge_base
from unmoor.adapters.measuring import LaunchedPrograms
from unmoor.adapters.process.supervisor import Processes
from unmoor.ci.github_actions import RunContext, default_branch
from unmoor.cli import bench_report, output
from unmoor.cli.resolve_project import ResolvedProject, open_world, read_sources, resolve_checkout, resolve_project
from unmoor.cli.target_options import TargetOptions
from unmoor.config.bench import BenchSettings
from unmoor.errors import CheckFailed, ConfigError, Refused, Slower
from unmoor.filesystem.files import write_atomic
from unmoor.filesystem.temporary import temporary_folder
from unmoor.metrics.compare.comparison import BenchComparison
from unmoor.metrics.compare.report import BenchReport, encode_report
from unmoor.products import Release
from unmoor.project import read_facts
from unmoor.util.text import clean, count_of, list_some

# What builds and installs asks no forge about it.
_NO_REPOSITORY: Final = "no/repository"
_REMOTE: Final = "origin"


def run(target: TargetOptions, *, against: str | None, report: Path | None, as_json: bool) -> int:
    """Compare, print the verdicts on stdout, write the report, and return the exit code.

    Raises `Slower` if a benchmark is slower and `CheckFailed` if one failed, after everything is printed and written.
    """
    if report is not None and not report.absolute().parent.is_dir():
        raise click.BadParameter(f"there is no folder {clean(str(report.parent), 200)!r}", param_hint="--report")
    with Processes() as processes, processes.guarded(), temporary_folder() as work:
        found = _compare(target, against, processes, work)
    if report is not None:
        write_atomic(report, encode_report(found))
    if as_json:
        click.echo(encode_report(found), nl=False)
    else:
        bench_report.print_table(found)
    return _finish(found)


def _compare(target: TargetOptions, against: str | None, processes: Processes, work: Path) -> BenchReport:
    """Find the commits, and compare them. Raises `Refused`, `ConfigError`, and what the comparison raises."""
    sources = read_sources(target.config)
    checkout = resolve_checkout(target, sources, processes, tag=None)
    head = checkout.head()
    if head is None:
        raise Refused("there is no commit yet", where=str(checkout.folder), next_step=advice.COMMIT_SOMETHING())
    project = resolve_project(checkout, head, sources, RunContext.from_environ(os.environ))
    settings = _settings(project)
    base, named = _base(checkout, head, against)
    for path in checkout.changed():
        output.err(f"warning: not part of what is measured, since it is not committed: {clean(path)}")
    output.err(f"comparing {head[:12]} with {base[:12]} ({clean(named, 80)})")
    world = open_world(target.world, project, repository=project.repository or _NO_REPOSITORY, required=False)
    services = create_services(world, checkout.folder, processes, path=checkout.path)
    return BenchComparison(
        settings=settings,
        building=project.settings.building,
        git=services.git,
        backend=services.backend,
        environments=services.environments,
        measuring=LaunchedPrograms(shell=services.shell),
        work=work,
        release=_release(project, head),
        base=base,
        against=named,
        tool=__version__,
        say=lambda text: output.err(clean(text, 500)),
    ).run()


def _settings(project: ResolvedProject) -> BenchSettings:
    """The table of benchmarks. Raises `ConfigError` if there is none, or nothing in it."""
    settings = project.settings.bench
    if settings is None or not (settings.command or settings.measure):
        what = "there is no table [tool.unmoor.bench]" if settings is None else "[tool.unmoor.bench] names nothing"
        raise ConfigError(f"{what} in the settings of HEAD", next_step=advice.CONFIGURE_BENCH())
    return settings


def _base(checkout: GitCheckout, head: str, against: str | None) -> tuple[str, str]:
    """The commit to compare with, and what it is. Raises `Refused` if the checkout does not have it, or it is HEAD."""
    where = str(checkout.folder)
    if against is not None:
        found, named = commit_at(checkout.git, checkout.folder, against), against
        if found is None:
            raise Refused(
                f"this checkout has no commit {clean(against, 80)!r}",
                where=where,
                next_step=advice.FETCH_DEFAULT_BRANCH() if checkout.shallow() else advice.NAME_BENCH_BASE(),
            )
    else:
        branch = default_branch(os.environ) or checkout.default_branch() or "main"
        named = f"where it left {branch}"
        refs = (f"refs/remotes/{_REMOTE}/{branch}", f"refs/heads/{branch}")
        tip = next(filter(None, (commit_at(checkout.git, checkout.folder, ref) for ref in refs)), None)
        found = merge_base(checkout.git, checkout.folder, head, tip) if tip is not None else None
        if found is None:
            what = "has no commit in common with it" if tip is not None else "does not have it"
            raise Refused(
                f"the default branch is {clean(branch, 80)}, and this checkout {what}",
                where=where,
                next_step=advice.FETCH_DEFAULT_BRANCH().then(advice.NAME_BENCH_BASE()),
            )
    if found == head:
        raise Refused(
            f"HEAD is the commit to compare with ({clean(named, 80)})", where=where, next_step=advice.NAME_BENCH_BASE()
        )
    return found, named


def _release(project: ResolvedProject, head: str) -> Release:
    """HEAD in the place of a release."""
    checkout = project.checkout
    return Release(
        repository=project.repository or _NO_REPOSITORY,
        project=read_facts(partial(checkout.read, head), project=project.settings.project).name,
        tag="",
        version="",
        commit=head,
        date=checkout.date_of(head),
        prerelease=False,
        highest=False,
        path=checkout.path,
    )


def _finish(report: BenchReport) -> int:
    """Return 0, or raise the error of what fails. A failure comes first: nobody knows how fast a broken thing is."""
    if broken := report.of("failed"):
        raise CheckFailed(
            "\n".join(
                (
                    f"{count_of(len(broken), 'benchmark')} failed",
                    *(line for each in broken for line in f"{each.name}: {each.why}".splitlines()),
                )
            ),
            next_step=advice.CORRECT_BENCHMARKS(),
        )
    if slower := report.of("slower"):
        names = list_some([clean(each.name, 100) for each in slower], 5)
        raise Slower(
            f"{count_of(len(slower), 'benchmark')} slower by {bench_report.percent(report.threshold)} or more: {names}",
            next_step=advice.MAKE_IT_FASTER(),
        )
    return 0
