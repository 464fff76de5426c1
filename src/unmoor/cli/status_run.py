"""Run ``unmoor status``: read every surface, compare it with the manifest if there is one, and print the result."""

from __future__ import annotations

from collections.abc import Sequence

import click
import msgspec

from unmoor import advice
from unmoor.adapters.process.supervisor import Processes
from unmoor.advice import NOTHING, join
from unmoor.cli import output, session
from unmoor.cli.deployed_now import Deployment, look
from unmoor.cli.deployments import words_of
from unmoor.cli.run_options import RunOptions, TargetOptions
from unmoor.cli.surfaces import TagSurfaces
from unmoor.core.events import LeftOut
from unmoor.core.waivers import Emergency
from unmoor.errors import Conflict, Denied, Incomplete, Unknown
from unmoor.filesystem.commands import sequence
from unmoor.products.signatures import BY_HAND
from unmoor.products.surface_state import State, SurfaceState, worst
from unmoor.publish.emergencies import recorded
from unmoor.publish.finishing import how_to_finish
from unmoor.publish.inventory import Inventory
from unmoor.util.text import clean

CODES = {
    State.COMPLETE: 0,
    State.PENDING: 0,
    State.INCOMPLETE: Incomplete.exit_code,
    State.UNKNOWN: Unknown.exit_code,
    State.CONFLICTING: Conflict.exit_code,
}


_DONE = {State.COMPLETE, State.PENDING}


class StatusDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The output of ``status --json``.

    ``manifest`` says where the manifest was found that the surfaces were compared with, empty if there is none.
    ``vouched`` says whether it is vouched for, ``unsigned`` whether it says "released by hand, unsigned".
    ``emergencies`` are those in which the release was made, as the manifest and assets of their own record them.
    ``next_step`` is how to finish the release, empty if it is complete, and ``advice`` are the ids of what it says, as
    docs/reference/advice.md lists them. ``left_out`` are images that were not looked for, since the world has no
    registry for them.
    """

    tag: str
    version: str
    commit: str
    world: str
    rehearsal: bool
    state: State
    surfaces: tuple[SurfaceState, ...]
    manifest: str = ""
    vouched: bool = False
    unsigned: bool = False
    emergencies: tuple[Emergency, ...] = ()
    next_step: str = ""
    advice: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


class JudgedRelease(msgspec.Struct, frozen=True, kw_only=True):
    """A release as its surfaces show it: each with its state, what was deployed, and the state of all of it.

    ``overall`` is the worst state that counts: that of an advisory surface or deployment does not.
    """

    surfaces: TagSurfaces
    inventory: Inventory
    deployed: tuple[Deployment, ...]
    states: tuple[SurfaceState, ...]
    emergencies: tuple[Emergency, ...]
    overall: State


def judge(opened: session.Session, options: RunOptions, *, deployments: bool) -> JudgedRelease:
    """Read and judge every surface and, if wanted, what is deployed.

    Raises `Incomplete` if nothing is anywhere, and `Unknown` or `Denied` if that cannot be seen.
    """
    surfaces = TagSurfaces.of(opened)
    inventory = surfaces.inventory()
    if inventory.empty:
        raise _not_released(inventory, options.release_command(opened.request.tag))
    deployed = look(opened) if deployments else ()
    states = (*surfaces.states(inventory), *(each.state for each in deployed))
    advisory = {each.stage.name for each in deployed if each.stage.advisory}
    if inventory.staging is not None and opened.request.settings.testpypi != "required":
        advisory.add(inventory.staging.name)
    return JudgedRelease(
        surfaces=surfaces,
        inventory=inventory,
        deployed=deployed,
        states=states,
        emergencies=_emergencies(inventory, opened),
        overall=worst(each.state for each in states if each.surface not in advisory),
    )


def run(target: TargetOptions, *, deployments: bool = True, as_json: bool) -> int:
    """Judge every surface and, if wanted, ``deployments``; print the result on stdout and return the exit code."""
    options = RunOptions(target=target, as_json=as_json, engine=False)
    with Processes() as processes, processes.guarded():
        opened = session.open_session(options, processes)
        found = judge(opened, options, deployments=deployments)
    inventory, deployed, states, emergencies = found.inventory, found.deployed, found.states, found.emergencies
    overall, best, release = found.overall, inventory.best, inventory.release
    command = _undeployed(states, deployed, options, release.tag)
    steps = None if overall in _DONE else () if command else how_to_finish(inventory)
    last = advice.DEPLOY_IT if command else advice.RELEASE_IT
    command = command or options.release_command(release.tag)
    whole = NOTHING if steps is None else join([*steps, last(command=command)])
    unsigned = best is not None and BY_HAND in best.manifest.decisions
    if as_json:
        session.echo_json(
            StatusDocument(
                tag=release.tag,
                version=release.version,
                commit=release.commit,
                world=opened.world.name,
                rehearsal=opened.world.rehearsal,
                state=overall,
                surfaces=states,
                manifest=best.where if best is not None else "",
                vouched=best is not None and best.vouched,
                unsigned=unsigned,
                emergencies=emergencies,
                next_step=str(whole),
                advice=whole.ids,
                left_out=opened.left_out,
            )
        )
    else:
        for line in output.align_columns(("surface", "state", "what", "sha256", ""), _rows(states)):
            click.echo(line)
    if best is not None and not best.vouched:
        because = f": {clean(best.doubt)}" if best.doubt else ""
        output.err(f"warning: the manifest at {clean(best.where)} is not vouched for{because}")
    for each in emergencies:
        output.err(each.summary)
        for result in each.results:
            output.err(f"  waived: {clean(str(result), 500)}")
    output.err(f"{release.tag} is {overall}{f'; {BY_HAND}' if unsigned else ''}")
    if steps is not None:
        for line in steps:
            output.err(f"next:  {line}")
        output.err(f"then:  {command}")
    return CODES[overall]


def _undeployed(states: Sequence[SurfaceState], deployed: Sequence[Deployment], options: RunOptions, tag: str) -> str:
    """The command that deploys what is missing, if nothing but deployments is; else empty."""
    names = {each.stage.name for each in deployed}
    missing = [words_of(each.stage.name) for each in deployed if each.state.state not in _DONE]
    commands = [options.deploy_command(words, tag) for words in missing if words]
    complete = all(each.state in _DONE for each in states if each.surface not in names)
    return sequence(commands) if commands and complete else ""


def _emergencies(inventory: Inventory, opened: session.Session) -> tuple[Emergency, ...]:
    """The emergencies in which the release was made. A record that cannot be read is a warning."""
    if inventory.best is None:
        return ()
    manifest = inventory.best.manifest
    there = next(iter(inventory.forge.all), None)
    try:
        return recorded(manifest, there, opened.services.forge)
    except (Denied, Unknown) as error:
        output.err(f"warning: a record of an emergency could not be read: {clean(error.what)}")
        return recorded(manifest, None, opened.services.forge)


def _not_released(inventory: Inventory, command: str) -> Incomplete | Unknown | Denied:
    """The error if no surface holds anything. What cannot be seen is unknown."""
    hidden = inventory.forge.hidden
    if isinstance(hidden, Unknown):
        return hidden
    unseen = "; drafts cannot be seen without a token" if hidden is not None else ""
    tag = clean(inventory.release.tag)
    return Incomplete(
        f"{tag} is not released: nothing of it is on any surface{unseen}",
        next_step=advice.RELEASE_IT(command=command),
        retryable=False,
    )


def _rows(states: Sequence[SurfaceState]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for each in states:
        rows += [(each.surface, item.state, item.name, item.shown_digest, item.note) for item in each.items]
        if each.note or not each.items:
            rows.append((each.surface, each.state, each.note, "", ""))
    return rows
