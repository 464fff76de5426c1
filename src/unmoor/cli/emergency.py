"""Begin an emergency: say what will be missing, let a person confirm the version, look for other runs of the tag."""

from __future__ import annotations

import getpass
import os
import re
import sys
from collections.abc import Mapping

import click

from unmoor import advice
from unmoor.cli import output
from unmoor.cli.losses import what_is_lost
from unmoor.cli.resolve_project import ResolvedTarget
from unmoor.cli.run_options import EmergencyOptions, RunOptions
from unmoor.config.waived import waived
from unmoor.core.events import Report
from unmoor.core.journal import Journal
from unmoor.core.stage import Reach
from unmoor.core.waivers import (
    ActorSource,
    Emergency,
    Gate,
    GateResult,
    GateVerdict,
    read_gate,
    read_reason,
)
from unmoor.errors import Interrupted, Refused, Unknown, UnmoorError
from unmoor.ports.forge import Forge, ForgeRun
from unmoor.ports.services import Services
from unmoor.project.locate import naming_at
from unmoor.publish.emergencies import final_results
from unmoor.release_request import ReleaseRequest
from unmoor.util.announce import announce
from unmoor.util.text import clean, list_some
from unmoor.util.values import replace
from unmoor.versioning import pep440

REASON, WAIVE, CONFIRM = "UNMOOR_EMERGENCY", "UNMOOR_WAIVE", "UNMOOR_CONFIRM"
_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}(\[bot\])?")


def read_options(
    reason: str | None, gates: tuple[str, ...], confirm: str | None, environ: Mapping[str, str]
) -> EmergencyOptions | None:
    """Read the options of an emergency, each else from its variable; ``None`` if there is none.

    An empty variable counts as none. Raises a usage error for a reason that says nothing, for a gate that cannot be
    waived, and for a waiver or a confirmation without an emergency.
    """
    reason = reason if reason is not None else environ.get(REASON) or None
    names = gates or tuple(environ.get(WAIVE, "").split())
    confirm = confirm if confirm is not None else environ.get(CONFIRM, "")
    if reason is None:
        for option, given in (("--waive", names), ("--confirm", confirm)):
            if given:
                raise click.UsageError(f"{option} needs --emergency REASON: only an emergency waives anything")
        return None
    try:
        found = {read_gate(name) for name in names}
        return EmergencyOptions(
            reason=read_reason(reason), gates=tuple(gate for gate in Gate if gate in found), confirm=confirm.strip()
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def begin(request: ReleaseRequest, services: Services, target: ResolvedTarget, options: RunOptions) -> ReleaseRequest:
    """Return the request as the emergency makes it, or as an emergency in the manifest here has made it.

    Raises a usage error for the confirmation of another version, `Refused` if the version is not confirmed or another
    run of the tag is active, and `Unknown` if the forge cannot tell.
    """
    wanted = options.emergency
    if wanted is None:
        return _continued(request)
    changed = replace(request, settings=waived(request.settings, wanted.gates))
    output.err(f"{click.style('emergency', bold=True)} release of {clean(request.tag)}. Missing for good:")
    for line in what_is_lost(changed, services, wanted.gates):
        output.err(f"  - {line}")
    # A dry run, too: what it waives is in its manifest, with which any run may continue.
    _confirm(request.tag, _version(request.tag, target), wanted, options)
    actor, source = _actor(services.forge, os.environ)
    emergency = Emergency(
        reason=wanted.reason,
        actor=actor,
        actor_from=source,
        gates=wanted.gates,
        results=_results(changed, services, wanted.gates, os.environ),
    )
    return replace(changed, emergency=emergency)


def _continued(request: ReleaseRequest) -> ReleaseRequest:
    """Return the request with what the manifest of an earlier emergency here waives, so that any run can finish it."""
    if request.ceiling is Reach.READS:
        return request
    try:
        known = request.folder.read_manifest()
    except UnmoorError:
        return request  # the stage that needs the manifest reports it
    if known is None or known.emergency is None or known.tag != request.tag:
        return request
    output.err(f"warning: this release began in an {known.emergency.summary}")
    return replace(request, settings=waived(request.settings, known.emergency.gates))


def _results(
    request: ReleaseRequest, services: Services, gates: tuple[Gate, ...], environ: Mapping[str, str]
) -> tuple[GateResult, ...]:
    """Check for other runs, and return the results that no stage gives."""
    found = []
    if request.ceiling >= Reach.REMOTE:
        result = _check_runs(request.tag, services.forge, environ, waives=Gate.RUN_CHECK in gates)
        found += [result] if result is not None else []
    elif Gate.RUN_CHECK in gates:
        why = "this run sends nothing"
        found.append(GateResult(gate=Gate.RUN_CHECK, verdict=GateVerdict.NOT_RUN, detail=why))
    if Gate.ATTESTATIONS in gates and (why := request.why_unsigned(services)):
        found.append(GateResult(gate=Gate.ATTESTATIONS, verdict=GateVerdict.NOT_RUN, detail=clean(why)))
    return tuple(found)


def _version(tag: str, target: ResolvedTarget) -> str:
    prefix = naming_at(target.checkout, target.commit, target.sources).prefix_of(tag)
    return str(pep440.read_tag(tag, prefix=prefix))


def _confirm(tag: str, version: str, wanted: EmergencyOptions, options: RunOptions) -> None:
    """Let a person type the version, unless the command line has it."""
    given = wanted.confirm
    if not given:
        if not _is_terminal():
            command = replace(options, emergency=replace(wanted, confirm=version)).same_command(tag)
            raise Refused(
                f"an emergency release of {clean(tag)} is not confirmed, and there is no terminal to ask",
                next_step=advice.CONFIRM_VERSION(command=command),
            )
        given = str(click.prompt("Type the version to release it", err=True, default="", show_default=False)).strip()
        if not _is_version(given, tag, version):
            raise Refused(
                f"{clean(given) or 'nothing'} was typed, and not {version}: nothing was done",
                next_step=advice.CHECK_VERSION(version=version),
                retryable=True,
            )
    elif not _is_version(given, tag, version):
        raise click.UsageError(f"--confirm is {clean(given)!r}, but this is the release of {version}: nothing was done")


def _is_terminal() -> bool:
    """Whether a person can read a question and answer it."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _is_version(given: str, tag: str, version: str) -> bool:
    return given == tag or pep440.parse(given) == pep440.parse(version)


def _actor(forge: Forge, environ: Mapping[str, str]) -> tuple[str, ActorSource]:
    """Who releases: as GitHub Actions says, else as the forge says of the token, else the account on this machine."""
    name = environ.get("GITHUB_ACTOR", "")
    if environ.get("GITHUB_ACTIONS") == "true" and _LOGIN.fullmatch(name):
        return name, ActorSource.ACTIONS
    if forge.has_token():
        try:
            return forge.login(), ActorSource.FORGE
        except Interrupted:
            raise
        except UnmoorError as error:
            output.err(f"warning: the forge does not say whose token this is: {clean(error.what)}")
    try:
        account = getpass.getuser()
    except (OSError, KeyError, ImportError):  # no account of this number
        account = ""
    return clean(account, 100) or "unknown", ActorSource.MACHINE


def _check_runs(tag: str, forge: Forge, environ: Mapping[str, str], *, waives: bool) -> GateResult | None:
    """Refuse while another run of the tag is active. If that is waived, warn, and return the result."""
    announce(f"checking whether another run of {clean(tag)} is active")
    own = environ.get("GITHUB_RUN_ID", "") if environ.get("GITHUB_ACTIONS") == "true" else ""
    try:
        active = [run for run in forge.active_runs(tag) if str(run.id) != own]
    except Interrupted:
        raise
    except UnmoorError as error:
        why = f"the forge does not say whether another run of {clean(tag)} is active"
        if not waives:
            raise Unknown(
                f"{why}: {error.what}", where=error.where, next_step=advice.WAIVE_RUN_CHECK(), retryable=True
            ) from error
        output.err(f"warning: {why}: {clean(error.what)}")
        return GateResult(gate=Gate.RUN_CHECK, verdict=GateVerdict.NOT_RUN, detail=clean(error.what))
    if not active:
        return GateResult(gate=Gate.RUN_CHECK, verdict=GateVerdict.PASSED) if waives else None
    runs = list_some([_described(run) for run in active], 3)
    if not waives:
        raise Refused(
            f"another run of {clean(tag)} is active: {runs}",
            next_step=advice.END_OTHER_RUNS(),
            retryable=True,
        )
    output.err(f"warning: another run of {clean(tag)} is active: {runs}")
    return GateResult(gate=Gate.RUN_CHECK, verdict=GateVerdict.FAILED, detail=clean(runs))


def _described(run: ForgeRun) -> str:
    return f"{run.name or 'a run'} ({run.status}), {run.url}"


def record(journal: Journal, emergency: Emergency | None) -> None:
    """Write to the journal that a run is an emergency."""
    if emergency is not None:
        journal.write({"event": "emergency", **_fields(emergency)})


def ended(report: Report, emergency: Emergency | None, journal: Journal) -> Report:
    """Add the emergency and the results of its gates to the report of a run, and to the journal."""
    if emergency is None:
        return report
    whole = final_results(emergency, report)
    try:
        journal.write({"event": "emergency ended", **_fields(whole)})
    except OSError as error:
        output.err(f"warning: the results of the emergency are not in the journal: {clean(str(error))}")
    return replace(report, emergency=whole)


def _fields(emergency: Emergency) -> Mapping[str, object]:
    import msgspec

    fields: dict[str, object] = msgspec.to_builtins(emergency)
    return fields
