"""Run ``unmoor scan``: find the files and the settings, scan, and print what was found."""

from __future__ import annotations

import os
from pathlib import Path

import click
import msgspec

from unmoor import advice
from unmoor._version import __version__
from unmoor.adapters.factory import open_scanners
from unmoor.adapters.process.supervisor import Processes
from unmoor.artifacts.files import describe_file
from unmoor.artifacts.merge import built_files
from unmoor.artifacts.run_dir import RunFolder
from unmoor.ci.github_actions import RunContext
from unmoor.cli import output, session
from unmoor.cli.resolve_project import open_world, read_sources, resolve_checkout, resolve_project, resolve_target
from unmoor.cli.run_options import TargetOptions
from unmoor.config.settings import Settings, resolve
from unmoor.config.worlds import read_world, real_world
from unmoor.errors import Incomplete, Unsafe
from unmoor.filesystem.commands import quote
from unmoor.filesystem.files import write_atomic
from unmoor.filesystem.safe_folder import names_in
from unmoor.ports.world import World
from unmoor.products import File, Scanned
from unmoor.scanning.day import today
from unmoor.scanning.judge import line_of, stopping
from unmoor.scanning.run import require_safe, scan, warnings
from unmoor.util.text import clean, count_of


class _Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What to scan, by which settings, and with the services of which world."""

    files: tuple[File, ...]
    settings: Settings
    world: World


def run(target: TargetOptions, *, dists: Path | None, sarif: Path | None, as_json: bool) -> int:
    """Scan, print the findings on stdout, and return the exit code.

    Raises `Unsafe` and `Unknown` as the stage does, after everything is printed and written.
    """
    day = today()
    with Processes() as processes, processes.guarded():
        subject = _of_tag(target, processes) if dists is None else _of_folder(target, dists, processes)
        options = subject.settings.scan
        scanner = open_scanners(subject.world, processes).dependencies
        if scanner is not None and options.vulnerabilities != "off":
            output.err(f"asking {scanner.asks} for known vulnerabilities")
        scanned = scan(subject.files, options, scanner, day)
    _print(scanned, as_json=as_json)
    if sarif is not None:
        from unmoor.scanning.sarif import as_sarif

        write_atomic(sarif, as_sarif(scanned, __version__).encode())
    for text in warnings(scanned, options, day):
        output.err(f"warning: {text}")
    output.err(scanned.summary)
    try:
        require_safe(scanned, options, day)
    except Unsafe as error:  # the findings are on stdout
        count = count_of(len(stopping(scanned)), "finding")
        raise Unsafe(f"{count} of a kind that a release must not have", **error.advice) from None
    return 0


def _of_tag(target: TargetOptions, processes: Processes) -> _Subject:
    """The files in the run folder of a tag. Raises `Incomplete` if there are none, and as `resolve_target` does."""
    resolved = resolve_target(target, read_sources(target.config), processes)
    folder = RunFolder.of(resolved.checkout.folder, resolved.tag).dists
    if not names_in(folder):
        raise Incomplete(
            f"no files were built for {clean(resolved.tag)} here",
            where=str(folder),
            next_step=advice.BUILD_FILES(tag=quote(clean(resolved.tag))),
            retryable=False,
        )
    world = open_world(target.world, resolved, repository=resolved.repository, required=False)
    return _Subject(files=_files(folder), settings=resolved.settings, world=world)


def _of_folder(target: TargetOptions, folder: Path, processes: Processes) -> _Subject:
    """The files in a folder, by the settings of the checkout that the command runs in, if it does.

    Raises `Incomplete` if there are none.
    """
    sources = read_sources(target.config)
    files = _files(folder)
    if _in_checkout(target.folder):
        checkout = resolve_checkout(target, sources, processes, tag=target.tag)
        commit = (checkout.commit_of(target.tag) if target.tag is not None else None) or checkout.head()
        project = resolve_project(checkout, commit, sources, RunContext())
        world = open_world(target.world, project, repository=project.repository, required=False)
        return _Subject(files=files, settings=project.settings, world=world)
    settings = resolve(lambda _: None, config=sources.config, environ=sources.environ).settings
    world = read_world(target.world, os.environ) if target.world else real_world("", os.environ)
    return _Subject(files=files, settings=settings, world=world)


def _in_checkout(folder: Path) -> bool:
    here = folder.absolute()
    return any((each / ".git").exists() for each in (here, *here.parents))


def _files(folder: Path) -> tuple[File, ...]:
    return tuple(map(describe_file, built_files(folder)[0]))


def _print(scanned: Scanned, *, as_json: bool) -> None:
    if as_json:
        session.echo_json(scanned)
        return
    for each in scanned.findings:
        state = f"ignored until {each.until}" if each.ignored else str(each.level)
        click.echo(f"{state}: {line_of(each)}{f': {clean(each.ignored)}' if each.ignored else ''}")
