"""Run ``unmoor deps update``: read the lock of the commit, try updates in copies, and write the lock at the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import click
import msgspec
from packaging.utils import canonicalize_name

from unmoor import advice
from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.process.supervisor import Processes
from unmoor.adapters.uv import Uv
from unmoor.adapters.uv_updates import UvLockResolver, UvLockTests, UvProject
from unmoor.ci.github_actions import RunContext
from unmoor.cli.output import err
from unmoor.cli.resolve_project import ResolvedProject, open_world, read_sources, resolve_checkout, resolve_project
from unmoor.cli.session import echo_json
from unmoor.cli.target_options import TargetOptions
from unmoor.config.read_toml import parse
from unmoor.dists.testing.suites import Suite, Untested, choose_suite
from unmoor.errors import ConfigError, Refused
from unmoor.filesystem.files import read_regular, write_atomic
from unmoor.filesystem.temporary import temporary_folder
from unmoor.maintenance.updates.groups import UpdateGroup
from unmoor.maintenance.updates.lock import LARGEST, NAME
from unmoor.maintenance.updates.result import UpdateResult
from unmoor.maintenance.updates.steps import LockUpdate, UpdateRequest
from unmoor.project.files import Files, table
from unmoor.project.test_needs.extras import describe
from unmoor.project.test_needs.locations import likely_modules
from unmoor.util.text import clean, count_of, indented

PYPROJECT: Final = "pyproject.toml"
_WEEK: Final = timedelta(days=7)
_OTHERS: Final = ("poetry.lock", "pdm.lock", "Pipfile.lock", "pixi.lock", "pylock.toml", "requirements.txt")


class UpdateOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the user typed. ``cool_down`` is in seconds."""

    names: tuple[str, ...] = ()
    security: bool = False
    minor: bool = False
    major: bool = False
    cool_down: float | None = None
    result: Path | None = None
    dry_run: bool = False
    as_json: bool = False

    @property
    def groups(self) -> frozenset[UpdateGroup]:
        """The groups that are asked for: all of them if none is."""
        asked = {
            UpdateGroup.SECURITY: self.security,
            UpdateGroup.MINOR: self.minor,
            UpdateGroup.MAJOR: self.major,
        }
        return frozenset(group for group, given in asked.items() if given) or frozenset(UpdateGroup)


def run(target: TargetOptions, options: UpdateOptions) -> int:
    """Update, write the lock and the result, and print what changed. Raises as `LockUpdate.run` does."""
    if options.result is not None and not options.result.absolute().parent.is_dir():
        raise click.BadParameter(
            f"there is no folder {clean(str(options.result.absolute().parent))}", param_hint="--result"
        )
    with Processes() as processes, processes.guarded():
        sources = read_sources(target.config)
        checkout = resolve_checkout(target, sources, processes, tag=None)
        project = resolve_project(checkout, checkout.head(), sources, RunContext())
        world = open_world(target.world, project, repository=project.repository, required=False)
        request = _request(project, options)
        shell = LocalShell(processes=processes, umask=0o022)
        uv_project = UvProject(uv=Uv(shell=shell, dependencies=world.dependencies))
        with temporary_folder() as folder:
            resolver = UvLockResolver(
                project=uv_project,
                folder=_copy(project, folder / "copy"),
                service=world.scanning.service if world.scanning else None,
            )
            tests = _tests(project, uv_project)
            update = LockUpdate(request=request, resolver=resolver, tests=tests, say=err)
            result = update.plan() if options.dry_run else update.run()
        if not options.dry_run:
            _write(project, request, result)
    if options.result is not None:
        write_atomic(options.result, msgspec.json.encode(result))
    _show(result, options)
    return 0


def _request(project: ResolvedProject, options: UpdateOptions) -> UpdateRequest:
    """Read what is updated. Raises `ConfigError` if there is no lock of uv, `Refused` if it is not committed."""
    checkout, commit = project.checkout, project.commit
    if commit is None:
        raise Refused("there is no commit yet", where=str(checkout.folder), next_step=advice.COMMIT_SOMETHING())
    lock, pyproject = checkout.read(commit, NAME), checkout.read(commit, PYPROJECT)
    if lock is None or pyproject is None:
        raise _no_lock(project, commit)
    changed = set(checkout.changed())
    paths = [f"{checkout.path}/{name}" if checkout.path else name for name in (NAME, PYPROJECT)]
    uncommitted = [path for path in paths if path in changed]
    if uncommitted:
        raise Refused(
            f"{' and '.join(uncommitted)} differ from the commit, which is what would be updated",
            where=str(checkout.folder),
            next_step=advice.COMMIT_LOCK(),
        )
    if changed:
        err("warning: files that are not committed are not tested: the tests run in copies of the commit")
    until, words = _until(pyproject, options)
    return UpdateRequest(
        commit=commit,
        path=checkout.path,
        lock=lock,
        pyproject=pyproject,
        groups=options.groups,
        names=tuple(dict.fromkeys(map(_name, options.names))),
        until=until,
        words=words,
    )


def _name(text: str) -> str:
    return str(canonicalize_name(text))


def _no_lock(project: ResolvedProject, commit: str) -> ConfigError:
    """The error for a project without ``uv.lock``: it names the lock that the project has."""
    if project.checkout.path and project.checkout.at("").read(commit, NAME) is not None:
        return ConfigError(
            f"the lock is that of a workspace, at the top of the repository, and not in {project.checkout.path}",
            where=str(project.checkout.folder),
            next_step=advice.UPDATE_WORKSPACE(),
        )
    files = set(project.checkout.files(commit))
    other = next((name for name in _OTHERS if name in files), "")
    what = f"only uv.lock can be updated, and this project has {other}" if other else "this project has no uv.lock"
    return ConfigError(what, where=str(project.checkout.folder), next_step=advice.LOCK_WITH_UV())


def _until(pyproject: bytes, options: UpdateOptions) -> tuple[datetime | None, str]:
    """Until when files must have been uploaded, and that in words. ``None``: the project says it, or nobody."""
    own = table(parse(pyproject, PYPROJECT).table, "tool", "uv").get("exclude-newer")
    if options.cool_down is None and own is not None:
        return None, f"uploaded before exclude-newer = {clean(str(own), 40)}"
    if options.cool_down == 0:
        return None, ""
    age = _WEEK if options.cool_down is None else timedelta(seconds=options.cool_down)
    until = datetime.now(UTC).replace(microsecond=0) - age
    return until, f"uploaded before {until:%Y-%m-%d %H:%M} UTC"


def _copy(project: ResolvedProject, folder: Path) -> Path:
    assert project.commit is not None  # noqa: S101 - `_request` refuses that
    return project.checkout.clone(folder, commit=project.commit, tag="")


def _tests(project: ResolvedProject, uv_project: UvProject) -> UvLockTests:
    """The tests of the project, as a release would run them. Raises `ConfigError` if there are none."""
    assert project.commit is not None  # noqa: S101 - `_request` refuses that
    files = Files.at(project.checkout, project.commit)
    options = project.settings.testing
    suite = choose_suite(options, describe(files, project.settings.project), files, modules=likely_modules(files.names))
    if isinstance(suite, Untested):
        raise ConfigError(
            f"updates cannot be tested: {suite.why}", where=PYPROJECT, next_step=advice.SET_TEST_COMMAND()
        )
    err(f"the tests: {clean(suite.command, 500)}")
    pyproject = parse(files.read(PYPROJECT) or b"", PYPROJECT).table
    return UvLockTests(
        project=uv_project,
        copy=lambda folder: _copy(project, folder),
        suite=suite,
        selection=tuple(_selection(pyproject, suite, options.groups)),
        timeout=options.timeout,
    )


def _selection(pyproject: Mapping[str, object], suite: Suite, groups: Sequence[str]) -> Iterator[str]:
    """The options of ``uv sync``: everything that is locked, unless parts of it exclude each other."""
    if not table(pyproject, "tool", "uv").get("conflicts"):
        yield from ("--all-extras", "--all-groups")
        return
    for extra in suite.extras:
        yield f"--extra={extra}"
    for group in groups:
        yield f"--group={group}"


def _write(project: ResolvedProject, request: UpdateRequest, result: UpdateResult) -> None:
    """Write the last lock that passed, unless somebody else wrote the lock meanwhile."""
    if not result.groups:
        return
    path = project.checkout.folder / project.checkout.path / NAME
    present = read_regular(path, LARGEST)
    if present.replace(b"\r\n", b"\n") != request.lock.replace(b"\r\n", b"\n"):
        raise Refused(
            "the lock was changed while its updates were tested, so it is not written",
            where=str(path),
            next_step=advice.COMMIT_LOCK(),
        )
    write_atomic(path, result.groups[-1].lock.encode())


def _show(result: UpdateResult, options: UpdateOptions) -> None:
    if options.as_json:
        echo_json(result)
    else:
        for group in result.groups:
            for update in group.updates:
                click.echo(f"{group.group}: {clean(str(update), 200)}")
            for move in group.also:
                click.echo(f"{group.group}: {clean(move.words, 200)}")
    for line in _remarks(result):
        err(line)
    count = sum(len(group.updates) for group in result.groups)
    tested = f", after {count_of(result.runs, 'run')} of the tests" if result.runs else ""
    if options.dry_run:
        err(f"{count_of(count, 'update')} to try" + (f" ({result.until})" if result.until else ""))
    elif count:
        err(f"uv.lock: {count_of(count, 'update')}{tested}")
    else:
        err(f"uv.lock: nothing changes{tested}" + (f" ({result.until})" if result.until else ""))


def _remarks(result: UpdateResult) -> Iterator[str]:
    """What did not land, and why."""
    for each in result.left_out:
        first, *more = each.why.splitlines() or [""]
        yield f"warning: left out: {clean(str(each.update), 200)}: {clean(first, 600)}"
        yield from (indented(line) for line in more)
    for update in result.flaky:
        yield f"warning: the tests failed once with {clean(str(update), 200)}, and then passed: it stays"
    for text in result.unfixed:
        yield f"warning: no version that fixes it: {clean(text, 300)}"
    for held in result.held_back:
        shown = f"{held.name} {held.available} is available, and {clean(held.bound, 100)} holds it at {held.locked}"
        yield f"held back: {shown}"
    for note in result.notes:
        yield f"note: {clean(note, 300)}"
