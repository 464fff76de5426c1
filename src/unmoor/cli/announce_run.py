"""Run ``unmoor announce``: read what the notes of the release say, send what is missing, and print what is known."""

from __future__ import annotations

import os
from collections.abc import Sequence

import click
import msgspec

from unmoor import advice
from unmoor.adapters.process.supervisor import Processes
from unmoor.ci.github_actions import RunContext
from unmoor.cli import output, session
from unmoor.cli.output import err
from unmoor.cli.run_options import RunOptions, TargetOptions
from unmoor.cli.session import Session
from unmoor.core.outcome import Failed
from unmoor.deploy.announce.claim import again_command
from unmoor.deploy.announce.delivery import Delivering
from unmoor.deploy.announce.message import failed as failed_message
from unmoor.deploy.announce.message import released as released_message
from unmoor.errors import ConfigError, Incomplete
from unmoor.notes.announced import ReleaseEvent, read_markers
from unmoor.ports.announcer import Message
from unmoor.ports.forge import ForgeRelease
from unmoor.products import Announced, Release
from unmoor.util.text import clean


class MessageState(msgspec.Struct, frozen=True, kw_only=True):
    """One message in the output of ``announce --json``; ``time`` is empty if nothing records it."""

    target: str
    event: str
    result: str
    time: str = ""


class AnnounceDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The output of ``announce --json``."""

    tag: str
    world: str
    messages: tuple[MessageState, ...]


def run(target: TargetOptions, *, again: Sequence[str], failed: bool, show: bool, as_json: bool) -> int:
    """Send what is missing, print what is known on stdout and return the exit code."""
    options = RunOptions(target=target, as_json=as_json, quiet=True, engine=False, until=("tag",))
    with Processes() as processes, processes.guarded():
        opened = session.open_session(options, processes)
        delivering = _delivering(opened)
        for name in again:
            if name not in delivering.targets:
                raise click.UsageError(f"there is no target {name!r}; the targets are: {', '.join(delivering.targets)}")
        release = _release(opened, options, processes)
        event = ReleaseEvent.FAILED if failed else ReleaseEvent.RELEASED
        there = _find(delivering, release.tag, drafts=failed)
        if show:
            told = delivering.recorded(read_markers(there.body) if there is not None else (), list(ReleaseEvent))
        else:
            message = _message(event, release, there, opened)
            told = delivering.announce(there, event, message, warn=_warn, again=again)
    _print(told, opened, as_json=as_json)
    if told.unsent:
        targets = list(dict.fromkeys(each.target for each in told.unsent))
        raise Incomplete(
            f"it is not known that {', '.join(targets)} got the message about {clean(release.tag)}",
            next_step=advice.ANNOUNCE_AGAIN(command=again_command(release.tag, targets)),
            retryable=False,
        )
    return 0


def _warn(text: str) -> None:
    err(f"warning: {clean(text, 1_000)}")


def _delivering(opened: Session) -> Delivering:
    """What sends. Raises `ConfigError` if nobody is to be told, or this world has no place for messages."""
    settings = opened.request.settings.announce
    found = Delivering.of(settings, opened.services)
    if found is not None:
        return found
    if settings is None:
        raise ConfigError("the settings name nobody to tell", next_step=advice.NAME_ANNOUNCE_TARGETS())
    raise ConfigError(
        f"the world {clean(opened.world.name)} has no place for messages", next_step=advice.ADD_ANNOUNCE_TO_WORLD()
    )


def _release(opened: Session, options: RunOptions, processes: Processes) -> Release:
    """Check the tag as a release does. Raises the error if it must not be released."""
    report = session.run_session(opened, options, processes)
    match report.outcome("tag"):
        case Failed(error=error):
            raise error
        case _:
            release = report.product("tag")
            assert isinstance(release, Release)  # noqa: S101 - the only product of that stage
            return release


def _find(delivering: Delivering, tag: str, *, drafts: bool) -> ForgeRelease | None:
    public = delivering.forge.public(tag)
    if public is not None or not drafts:
        return public
    return next(iter(delivering.forge.releases(tag)), None)


def _message(event: ReleaseEvent, release: Release, there: ForgeRelease | None, opened: Session) -> Message:
    public = there if there is not None and not there.draft else None
    if event is ReleaseEvent.FAILED:
        return failed_message(
            project=release.project,
            version=release.version,
            why=(),
            is_public=f"The release is public: {public.url}" if public is not None else "",
            command=opened.request.command,
            run=_run_address(opened),
        )
    if public is None:
        raise Incomplete(
            f"{clean(release.tag)} is not public",
            where=opened.services.forge.address,
            next_step=advice.RELEASE_IT(command=opened.request.command),
            retryable=False,
        )
    return released_message(project=release.project, version=release.version, page=public.url, notes=public.body)


def _run_address(opened: Session) -> str:
    """The page of the workflow run that this is a job of; empty elsewhere."""
    number = RunContext.from_environ(os.environ).run
    return f"{opened.services.forge.address}/actions/runs/{number}" if number else ""


def _print(told: Announced, opened: Session, *, as_json: bool) -> None:
    """Print each message on stdout: its target, what it is about and what is known of it, never an address."""
    if as_json:
        session.echo_json(
            AnnounceDocument(
                tag=opened.request.tag,
                world=opened.world.name,
                messages=tuple(
                    MessageState(target=each.target, event=each.event, result=each.result, time=each.time)
                    for each in told.targets
                ),
            )
        )
        return
    for each in told.targets:
        click.echo(f"{each.target}: {each.event}: {each.told}{f', {each.time}' if each.time else ''}")
    if not told.targets:
        output.err("nothing was sent, and no message is known")
