"""Run ``unmoor verify``: resolve what is asked, read every surface without credentials, print the table."""

from __future__ import annotations

import importlib
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from unmoor import advice
from unmoor.adapters.clock import MonotonicClock
from unmoor.adapters.factory import open_checkout, open_http
from unmoor.adapters.process.supervisor import Processes
from unmoor.cli import output, session
from unmoor.cli.resolve_project import read_sources, remote_repository, resolve_target
from unmoor.cli.run_options import TargetOptions
from unmoor.config.worlds import read_world, real_world
from unmoor.errors import BadSignature, ConfigError, Incomplete, Refused, Unknown
from unmoor.filesystem.layout import HOME_VARIABLES
from unmoor.filesystem.temporary import temporary_folder
from unmoor.ports.world import World
from unmoor.util.text import clean
from unmoor.verification.asked import VerifyRequest, read_identity
from unmoor.verification.checks import CheckedItem, Mark
from unmoor.verification.release import Verification, VerificationResult

if TYPE_CHECKING:
    from unmoor.adapters.sigstore.trust import TrustFiles

CODES = {
    Mark.OK: 0,
    Mark.MISSING: Incomplete.exit_code,
    Mark.UNKNOWN: Unknown.exit_code,
    Mark.WRONG: BadSignature.exit_code,
}
ANSWERS = {
    Mark.OK: "is verified",
    Mark.MISSING: "is not verified: something is missing",
    Mark.UNKNOWN: "is not verified: something could not be read or judged",
    Mark.WRONG: "is WRONG: do not use it",
}
# The addresses of a GitHub other than github.com. Nothing else of the environment counts: no credential, above all.
_ADDRESSES = ("GITHUB_API_URL", "GITHUB_SERVER_URL")


class VerifyDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The output of ``verify --json``. ``answer`` is the worst result of the checks.

    ``repository_id`` is the repository's number, ``workflow`` the one that signed. ``earlier`` is an earlier release
    that was signed although this one is not. What is not known is empty.
    """

    target: str
    repository: str
    repository_id: str
    tag: str
    commit: str
    project: str
    version: str
    world: str
    rehearsal: bool
    answer: Mark
    exit_code: int
    workflow: str
    earlier: str
    checks: tuple[CheckedItem, ...]
    notes: tuple[str, ...]


def run(
    target: str | None, *, identity: str | None, trust_root: Path | None, from_world: Path | None, as_json: bool
) -> int:
    """Verify, print the result on stdout and the answer on stderr, and return the exit code."""
    try:
        expected = read_identity(identity) if identity is not None else ""
        asked = VerifyRequest.parse(target) if target is not None else VerifyRequest()
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    # Checking signatures takes 0.3 s to load, and is needed only after the first downloads.
    threading.Thread(target=importlib.import_module, args=("sigstore.verify",), daemon=True).start()
    with Processes() as processes, processes.guarded():
        repository = "" if asked.project else asked.repository or _own_repository(from_world, processes)
        world = _world(from_world, repository)
        if not asked.project:
            asked = _completed(asked, world.forge.repository, processes)
        verdict = verified(asked, world, processes, trust_root=trust_root, identity=expected)
    _print(asked, verdict, world, as_json=as_json)
    return CODES[verdict.answer]


def verified(
    asked: VerifyRequest, world: World, processes: Processes, *, trust_root: Path | None, identity: str
) -> VerificationResult:
    """Verify a release or a package, as a stranger does: without credentials. Raises as `Verification` does."""
    from unmoor.adapters.reading import create_readers

    with open_http(world) as http, temporary_folder() as folder:
        clock = MonotonicClock(processes=processes, patience=world.patience)
        readers = create_readers(world, http, clock, trust=_roots(world, trust_root))
        verification = Verification(
            forge=readers.forge,
            index=readers.index,
            registry=readers.registry,
            verifier=readers.verifier,
            folder=folder,
            surface="github",
            site=world.forge.site,
            identity=identity,
        )
        if asked.project:
            return verification.package(asked.project, asked.version)
        return verification.tag(asked.repository, asked.tag)


def _roots(world: World, trust_root: Path | None) -> TrustFiles | None:
    """The trusted roots in files; ``None`` for those of the public Sigstore.

    Raises `ConfigError` for a bad ``--trust-root``, and for a world of rehearsals without any.
    """
    from unmoor.adapters.sigstore.trust import TrustFiles

    if trust_root is not None:
        given = TrustFiles(paths=(str(trust_root),))
        given.roots()
        return given
    # A local world writes the second file with its first immutable release.
    forge = world.forge.trust if Path(world.forge.trust).is_file() else ""
    found = tuple(filter(None, (world.signing.trust if world.signing else "", forge)))
    if world.rehearsal and not found:
        raise ConfigError(
            "this world is for rehearsals and has no Sigstore whose signatures could be checked",
            next_step=advice.CHECK_TRUSTED_ROOT(),
        )
    return TrustFiles(paths=found) if found else None


def _world(from_world: Path | None, repository: str) -> World:
    """The world to read from. Only the addresses in the environment count."""
    environ = {name: os.environ[name] for name in _ADDRESSES if name in os.environ}
    if from_world is not None:
        home = {name: os.environ[name] for name in HOME_VARIABLES if name in os.environ}
        return read_world(from_world, environ | home, repository=repository)
    # A CI job has no keyring to look into, and without a home there is no .pypirc.
    return real_world(repository, {**environ, "GITHUB_ACTIONS": "true"})


def _own_repository(from_world: Path | None, processes: Processes) -> str:
    """The repository of the checkout here; empty in a world, which names its own, and outside a checkout."""
    if from_world is not None:
        return ""
    try:
        return remote_repository(open_checkout(Path(), processes))
    except Refused:
        return ""


def _completed(asked: VerifyRequest, repository: str, processes: Processes) -> VerifyRequest:
    """Add the repository, and the tag of the checkout if none was named. Raises `UsageError`, `Refused`."""
    repository = asked.repository or repository
    if not repository:
        raise click.UsageError("name the repository too: unmoor verify owner/name@TAG, or package==VERSION")
    tag = asked.tag
    if not tag:
        tag = resolve_target(TargetOptions(folder=Path()), read_sources(), processes).tag
    return VerifyRequest(repository=repository, tag=tag)


def _print(asked: VerifyRequest, verdict: VerificationResult, world: World, *, as_json: bool) -> None:
    if as_json:
        session.echo_json(_document(asked, verdict, world))
    else:
        rows = [(each.mark, each.surface, each.name, each.note) for each in verdict.checks]
        for line in output.align_columns(("result", "where", "what", ""), rows):
            click.echo(line)
    for note in verdict.notes:
        output.err(f"note:  {clean(note, 500)}")
    if verdict.earlier:
        output.err(
            click.style("warning: ", fg="yellow", bold=True)
            + f"earlier releases were signed ({clean(verdict.earlier, 80)}), this one is not"
        )
    of = f": released by {clean(verdict.source.repository, 200)}" if verdict.answer is Mark.OK and asked.project else ""
    output.err(f"{asked} {ANSWERS[verdict.answer]}{of}")


def _document(asked: VerifyRequest, verdict: VerificationResult, world: World) -> VerifyDocument:
    source = verdict.source
    return VerifyDocument(
        target=str(asked),
        repository=source.repository,
        repository_id=source.repository_id,
        tag=source.tag,
        commit=source.commit,
        project=verdict.project,
        version=verdict.version,
        world=world.name,
        rehearsal=world.rehearsal,
        answer=verdict.answer,
        exit_code=CODES[verdict.answer],
        workflow=verdict.workflow,
        earlier=verdict.earlier,
        checks=verdict.checks,
        notes=verdict.notes,
    )
