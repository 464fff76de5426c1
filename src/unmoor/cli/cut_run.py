"""Run ``unmoor cut``: open what it needs, show what will happen, and ask once."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from datetime import datetime
from functools import partial
from pathlib import Path

import click
import msgspec
from packaging.version import Version

from unmoor import advice
from unmoor.adapters.process.supervisor import Processes
from unmoor.artifacts.run_dir import RunFolder
from unmoor.ci.github_actions import RunContext
from unmoor.cli.cut_ports import follow, open_ports
from unmoor.cli.output import err
from unmoor.cli.resolve_project import ResolvedProject, open_world, read_sources, resolve_checkout, resolve_project
from unmoor.cli.run_options import TargetOptions
from unmoor.errors import Refused
from unmoor.filesystem.locks import exclusive_lock
from unmoor.filesystem.safe_folder import OWN, make_private
from unmoor.project import read_facts
from unmoor.project.locate import naming_at
from unmoor.project.releasable import refuse_fork
from unmoor.scaffold.cut.conventional import follows_conventional_commits
from unmoor.scaffold.cut.model import (
    CutOptions,
    CutProject,
    CutResult,
    CutState,
    CutStep,
    PlannedCut,
)
from unmoor.scaffold.cut.steps import Cut
from unmoor.scaffold.cut.tagging import tag_merged
from unmoor.scaffold.cut.version_choice import InDoubt
from unmoor.util.text import clean, indented
from unmoor.versioning import pep440
from unmoor.versioning.bump import VersionPart

FOLDER = "cut"
"""The folder of a cut in ``.unmoor``."""


class CutCommand(msgspec.Struct, frozen=True, kw_only=True):
    """What the user typed."""

    version: str | None
    parts: tuple[str, ...]
    tag_merged: bool
    rehearse: bool
    watch: bool
    yes: bool
    dry_run: bool
    verify: bool
    as_json: bool


def run(target: TargetOptions, command: CutCommand) -> int:
    """Cut a release and print the result. Raises a usage error, with the choices, if the version is in doubt."""
    named = _parse(command.version) if command.version is not None else None
    with Processes() as processes, processes.guarded():
        sources = read_sources(target.config)
        checkout = resolve_checkout(target, sources, processes, tag=None)
        project = resolve_project(checkout, checkout.head(), sources, RunContext())
        world = open_world(target.world, project, repository=project.repository, required=False)
        refuse_fork(checkout, world.forge.repository, project.settings.repository)
        folder = checkout.folder / OWN / FOLDER
        make_private(folder)
        RunFolder(folder).open()
        with exclusive_lock(folder):
            ports = open_ports(checkout, world, processes, target)
            cut_project = _project(project, folder)
            listener = _Terminal(command, target)
            if command.tag_merged:
                branch = ports.writer.remote_default() or ports.writer.branch()
                result: CutResult | InDoubt = tag_merged(ports, cut_project, listener, named=named, branch=branch)
            else:
                options = CutOptions(
                    named=named,
                    parts=tuple(map(VersionPart, command.parts)),
                    verify=command.verify,
                    rehearse=command.rehearse,
                    now=datetime.now().astimezone(),
                )
                result = Cut(ports=ports, project=cut_project, options=options, listener=listener).run()
        if isinstance(result, InDoubt):
            raise click.UsageError(_choices(result))
        _show(result, command)
        if command.watch and result.state is CutState.PUSHED:
            follow(world, project, processes, result.tag)
    return 0


def _parse(text: str) -> Version:
    version = pep440.version_in(text)
    if version is None:
        raise click.UsageError(f"{clean(text, 60)!r} is not a version (PEP 440), such as 1.2.3 or 2.0.0rc1")
    return version


def _choices(doubt: InDoubt) -> str:
    width = max(len(words) for words, _ in doubt.choices)
    lines = [f"  unmoor cut {words.ljust(width)}   {version}" for words, version in doubt.choices]
    return "\n".join((f"{doubt.why}: choose the version", *lines))


def _project(project: ResolvedProject, folder: Path) -> CutProject:
    git, commit = project.checkout, project.commit
    if commit is None:
        raise Refused("there is no commit yet", where=str(git.folder), next_step=advice.COMMIT_SOMETHING())
    read = partial(git.read, commit)
    return CutProject(
        name=project.settings.project or read_facts(read).name,
        is_conventional=follows_conventional_commits(read, git.at("").files(commit), git.at("")),
        settings=project.settings,
        naming=naming_at(git, commit, project.sources),
        folder=folder,
    )


def _show(result: CutResult, command: CutCommand) -> None:
    if command.as_json:
        from unmoor.cli.session import echo_json

        echo_json(result)
    for line in result.left:
        err(f"warning: {clean(line, 300)}")
    if result.state is CutState.PUSHED:
        err(f"pushed {result.tag}, on commit {result.commit[:12]}")
    elif result.state is CutState.REQUESTED:
        err(f"opened a pull request: {clean(result.url)}")
        err(f"then:  merge it, and run unmoor cut --tag {result.version}")
    if not command.as_json and result.state is not CutState.PLANNED:
        click.echo(result.url if result.state is CutState.REQUESTED else result.tag)


class _Terminal:
    """Shows on stderr what happens, and asks there."""

    def __init__(self, command: CutCommand, target: TargetOptions) -> None:
        self._command = command
        self._target = target

    def begins(self, step: CutStep) -> None:
        """Print the steps that take a while."""
        words = {CutStep.COMMIT: "committing", CutStep.REHEARSE: "rehearsing the release", CutStep.PUSH: "pushing"}
        if step in words:
            err(words[step])

    def say(self, text: str) -> None:
        """Print a message."""
        err(clean(text, 1000))

    def approve(self, planned: PlannedCut) -> bool:
        """Show the plan, and ask unless ``--yes``. Raises `Refused` if there is no terminal to ask on."""
        for line in _described(planned):
            err(line)
        show = click.echo if self._command.dry_run and not self._command.as_json else err
        for line in planned.diff.splitlines():
            show(indented(line, limit=2000))
        if self._command.dry_run:
            err("commands that do the same:")
            for line in planned.commands:
                err(f"  {clean(line, 1000)}")
            return False
        if self._command.yes:
            return True
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise Refused(
                f"nothing is pushed without a confirmation, and there is no terminal to ask for {planned.tag}",
                next_step=advice.CONFIRM_CUT(),
            )
        what = f"open a pull request for {planned.tag}" if planned.through else f"push {planned.tag}"
        if not click.confirm(f"{what}?", err=True):
            raise click.Abort
        return True

    def rehearse(self, tree: Path, tag: str) -> None:
        """Rehearse in the work tree of the new commit."""
        from unmoor.cli.rehearse_run import run as rehearse
        from unmoor.cli.run_options import FileOptions

        target = TargetOptions(folder=tree, path=self._target.path, tag=tag, config=self._target.config)
        with redirect_stdout(sys.stderr):  # the result of the cut is the only output
            code = rehearse(target, FileOptions(), without_images=False, as_json=False)
        if code:
            raise Refused(
                f"the rehearsal of {tag} failed, so nothing was pushed", next_step=advice.CORRECT_AND_COMMIT()
            )


def _described(planned: PlannedCut) -> Sequence[str]:
    lines = [clean(line, 300) for line in planned.arithmetic]
    lines += [clean(line, 300) for line in planned.messages]
    if planned.ahead:
        lines.append(f"{planned.ahead} earlier commits of {clean(planned.branch)} are pushed as well")
    if planned.through:
        lines.append(
            f"{clean(planned.branch)} takes no direct push ({clean(planned.why, 200)}): a pull request instead"
        )
    where = f"the branch {planned.through}" if planned.through else f"{clean(planned.branch)} and the tag {planned.tag}"
    return [*lines, f"to push: {where}"]
