"""Run ``unmoor status``: compare every surface with the manifest, and print a table or JSON."""

from __future__ import annotations

from dataclasses import dataclass

import click

from unmoor.adapters.process.supervisor import Processes
from unmoor.artifacts.manifest import Manifest
from unmoor.cli import output, session
from unmoor.cli.run_options import RunOptions, TargetOptions
from unmoor.errors import Conflict, Incomplete, Unknown
from unmoor.products import Release
from unmoor.products.surface_state import Item, State, SurfaceState, worst
from unmoor.publish.compare import compare, find_manifest
from unmoor.publish.latest import is_latest
from unmoor.versioning import pep440
from unmoor.versioning.tag_scheme import Naming

CODES = {
    State.COMPLETE: 0,
    State.PENDING: 0,
    State.INCOMPLETE: Incomplete.exit_code,
    State.UNKNOWN: Unknown.exit_code,
    State.CONFLICTING: Conflict.exit_code,
}


@dataclass(frozen=True, kw_only=True)
class StatusDocument:
    """The output of ``status --json``."""

    tag: str
    version: str
    commit: str
    world: str
    rehearsal: bool
    state: State
    surfaces: tuple[SurfaceState, ...]


def run(target: TargetOptions, *, as_json: bool) -> int:
    """Compare every surface with the manifest, print the result on stdout and return the exit code."""
    options = RunOptions(target=target, as_json=as_json, engine=False)
    with Processes() as processes, processes.guarded():
        opened = session.open_session(options, processes)
        services, tag = opened.services, opened.request.tag
        manifest = find_manifest(opened.request.folder, services.forge, tag)
        if manifest is None:
            raise Incomplete(
                f"{tag} is not released: there is no manifest on this machine or on a release of that tag",
                where=services.forge.address,
                next_step=options.release_command(tag),
                retryable=False,
            )
        staging = opened.request.staging(services)
        states = compare(
            manifest,
            index=services.index,
            staging=staging,
            forge=services.forge,
            registry=services.registry,
            plans=opened.request.image_plans(services),
            release=lambda: _release(manifest, opened),
        )
    states_that_count = [
        each.state
        for each in states
        if staging is None or each.surface != staging.name or opened.request.settings.testpypi == "required"
    ]
    overall = worst(states_that_count)
    if as_json:
        session.echo_json(
            StatusDocument(
                tag=manifest.tag,
                version=manifest.version,
                commit=manifest.commit,
                world=opened.world.name,
                rehearsal=opened.world.rehearsal,
                state=overall,
                surfaces=states,
            )
        )
    else:
        for line in output.align_columns(("surface", "state", "what", "sha256", ""), _rows(states)):
            click.echo(line)
    output.err(f"{manifest.tag} is {overall}")
    if overall not in {State.COMPLETE, State.PENDING}:
        output.err(f"then:  {options.release_command(tag)}")
    return CODES[overall]


def _release(manifest: Manifest, opened: session.Session) -> Release:
    """Return the release that a manifest describes. Raises `Unknown` if it cannot check whether it is the highest."""
    services = opened.services
    naming = Naming(
        configured=opened.request.settings.tag_prefix, project=lambda: manifest.project, in_folder=bool(manifest.path)
    )
    prefix = naming.prefix_of(manifest.tag)
    version = pep440.read_tag(manifest.tag, prefix=prefix)
    return Release(
        repository=manifest.repository,
        project=manifest.project,
        tag=manifest.tag,
        version=manifest.version,
        commit=manifest.commit,
        date=services.git.date_of(manifest.commit),
        prerelease=manifest.prerelease,
        highest=is_latest(
            version,
            (),
            project=manifest.project,
            naming=naming.for_prefix(prefix),
            index=services.index,
            forge=services.forge,
            moves=True,
            warn=output.err,
        ),
        prefix=prefix,
        path=manifest.path,
    )


def _rows(states: tuple[SurfaceState, ...]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for each in states:
        rows += [(each.surface, item.state, item.name, _digest(item), item.note) for item in each.items]
        if each.note or not each.items:
            rows.append((each.surface, each.state, each.note, "", ""))
    return rows


def _digest(item: Item) -> str:
    if item.seen is None:
        return "-"
    return item.seen if item.seen == item.expected or not item.expected else f"{item.seen} (expected {item.expected})"
