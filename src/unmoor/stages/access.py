"""The stage ``access``: prove logins, permissions and names as far as each surface allows by reading alone.

This module is long because it has the probes of every surface.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Self

from unmoor import advice
from unmoor.advice import join
from unmoor.core.stage import Check, Output, Reach, StageContext
from unmoor.errors import Denied, Refused, ToolMissing, Unknown, UnmoorError
from unmoor.ports.engine import Engine
from unmoor.ports.forge import Forge, ForgeRelease, ForgeRepository
from unmoor.ports.index import Index, LoginProbe, ProjectStatus
from unmoor.ports.key_signer import KeySigner
from unmoor.ports.registry import Registry
from unmoor.ports.services import Services
from unmoor.ports.signer import Signing
from unmoor.products import Access, Certainty, Finding, Release
from unmoor.publish.signing_probe import SURFACE as SIGNATURES
from unmoor.publish.signing_probe import probe_key, probe_signing
from unmoor.release_request import ReleaseRequest

if TYPE_CHECKING:
    from unmoor.images.image_plan import ImagePlan

_FORGE = "forge"
# PyPI's own limit, in its source: PENDING_PUBLISHER_EXPIRY_DAYS.
_PENDING = "on PyPI a pending publisher for it expires 30 days after it was added"
# What to do about a status that takes no uploads (PEP 792).
_REOPEN = {
    "archived": advice.UNARCHIVE_PROJECT,
    "quarantined": advice.ASK_TO_LIFT_QUARANTINE,
}
# What a probe raises for a problem, the most serious first. Anything else is a bug or an interruption.
_PROBE_ERRORS: tuple[type[UnmoorError], ...] = (Refused, Denied, ToolMissing, Unknown)


@dataclass(frozen=True)
class AccessProbe:
    """One question to a surface.

    ``proven_by`` is the stage that proves what this probe cannot; ``required``: a failure stops the run.
    """

    surface: str
    proven_by: str
    required: bool
    ask: Callable[[], list[Finding]]


def _index_probes(index: Index, release: Release, proven_by: str, *, writes: bool, required: bool) -> list[AccessProbe]:
    upto = LoginProbe.MINTING if writes else LoginProbe.READING
    return [
        AccessProbe(index.name, proven_by, required, lambda: _login(index, release, proven_by, upto)),
        AccessProbe(
            index.name, proven_by, required, lambda: [_name(index, release, proven_by), *_held(index, release)]
        ),
    ]


@dataclass(frozen=True, kw_only=True)
class ProveAccess(Check[Access]):
    """Checks every login, permission and name before anything is built.

    ``ceiling`` is how far the run may reach. A problem at a surface that the run writes to stops the
    run; all such problems are raised together as one error. A problem at any other surface is listed
    as unproven, so that a job without credentials can plan, build and prove; one that no credential
    solves, such as an archived project, is a warning, too. ``advisory_staging``: problems at the
    staging index are warnings. ``proven_by_draft`` and the other ``proven_by_…`` fields name the
    stages that prove what reading cannot.

    ``engine`` is the one that builds images, ``None`` if the run is not asked for any; ``plans`` are those images.
    ``why_no_images`` is why this machine cannot release the images of a plan, empty if it can or there are none.
    ``signing`` is what signs, ``None`` if nothing can be signed in this world; ``attestations`` is the policy.
    ``sums_signer`` is the key that signs the list of checksums, if one does.

    A trusted publishing token is minted here only if this run uploads and the project exists:
    the exchange would create the project that a pending publisher names.
    """

    name: str = "access"
    release: Output[Release]
    index: Index
    staging: Index | None
    advisory_staging: bool = False
    forge: Forge
    registries: tuple[Registry, ...] = ()
    engine: Engine | None = None
    plans: tuple[ImagePlan, ...] = ()
    why_no_images: str = ""
    signing: Signing | None = None
    attestations: str = "off"
    sums_signer: KeySigner | None = None
    ceiling: Reach = Reach.FINAL
    proven_by_draft: str = "draft"
    proven_by_undraft: str = "undraft"
    proven_by_index: str = "pypi"
    proven_by_staging: str = "testpypi"

    @classmethod
    def of(cls, request: ReleaseRequest, services: Services, *, release: Output[Release]) -> Self:
        """Build the stage for a request."""
        return cls(
            release=release,
            index=services.index,
            staging=request.staging(services),
            advisory_staging=request.advisory,
            forge=services.forge,
            registries=request.registries(services),
            engine=services.engine if request.builds_images else None,
            plans=request.image_plans(services) if request.builds_images else (),
            why_no_images=services.system.why_no_images if request.images else "",
            signing=services.signing,
            attestations=request.settings.attestations,
            sums_signer=request.sums_signer(services),
            ceiling=request.ceiling,
        )

    def plan(self) -> str:
        """Say what would be checked."""
        names = [self.forge.address, *(index.name for index in (self.staging, self.index) if index is not None)]
        names += [registry.name for registry in self.registries]
        return f"check, by reading alone, logins, permissions and names at {', '.join(names)}"

    def make(self, context: StageContext) -> Access:
        """Probe every surface, then raise all problems as one error, or list them as findings."""
        release = context[self.release]
        if self.why_no_images and self.ceiling is Reach.READS:
            context.warn(f"{self.why_no_images}: a release from here stops, unless registries have them already")
        findings: list[Finding] = []
        problems: list[UnmoorError] = []
        told: set[tuple[bool, str]] = set()
        for probe in self._probes(release):
            try:
                findings += probe.ask()
            except _PROBE_ERRORS as error:
                problem = (probe.required, str(error))
                if problem in told:
                    continue  # two probes met the same one, such as a repository that is not there
                told.add(problem)
                if probe.required:
                    problems.append(error)
                elif self.ceiling is Reach.READS or self._is_advisory(probe) or isinstance(error, Refused):
                    # A later job may have the credentials, but it cannot release what is closed.
                    context.warn(str(error))
                findings.append(_to_prove_later(probe.surface, error.in_brief(), probe.proven_by))
        if problems:
            raise _combine(problems)
        _report(context, findings)
        return Access(findings=tuple(findings))

    def _probes(self, release: Release) -> list[AccessProbe]:
        pushes, publishes = self.ceiling >= Reach.REMOTE, self.ceiling >= Reach.FINAL
        probes = [
            AccessProbe(_FORGE, self.proven_by_draft, pushes, self._token),
            AccessProbe(_FORGE, self.proven_by_draft, pushes, lambda: self._repository(release)),
            AccessProbe(_FORGE, self.proven_by_undraft, pushes, lambda: [_tag(self.forge, release)]),
        ]
        if self.staging is not None:
            required = pushes and not self.advisory_staging
            probes += _index_probes(self.staging, release, self.proven_by_staging, writes=pushes, required=required)
        for registry in self.registries:
            # The probe starts an upload and abandons it, so it runs only if the run pushes.
            ask = _prove_push if pushes else _push_login
            probes.append(AccessProbe(registry.name, "registry", pushes, partial(ask, registry)))
        if self.engine is not None:
            from unmoor.images.engine_probe import probe_engine  # and the rule language of tags

            ask = partial(probe_engine, self.engine, self.plans, release)
            probes.append(AccessProbe("engine", "images", required=True, ask=ask))
        if self.attestations != "off":
            probes.append(AccessProbe(SIGNATURES, "sign", pushes, lambda: self._signing(release)))
        if self.sums_signer is not None:
            ask = partial(probe_key, self.sums_signer, asks=pushes)
            probes.append(AccessProbe(SIGNATURES, "sign-sums", pushes, ask))
        return probes + _index_probes(self.index, release, self.proven_by_index, writes=publishes, required=publishes)

    def _is_advisory(self, probe: AccessProbe) -> bool:
        return self.advisory_staging and self.ceiling >= Reach.REMOTE and probe.proven_by == self.proven_by_staging

    def _signing(self, release: Release) -> list[Finding]:
        indexes = [index for index in (self.staging, self.index) if index is not None]
        required = self.attestations == "required"
        asks = self.ceiling >= Reach.REMOTE
        there = partial(self._release_there, release)
        images = [registry.name for registry in self.registries]
        return probe_signing(self.signing, indexes, release, images=images, required=required, asks=asks, there=there)

    def _release_there(self, release: Release) -> ForgeRelease | None:
        """The release of the tag on the forge that has files: the public one, or else a draft."""
        if not self.forge.has_token():
            return self.forge.public(release.tag)
        found = sorted(self.forge.releases(release.tag), key=lambda each: (each.draft, each.id))
        return next((each for each in found if each.assets), None)

    def _token(self) -> list[Finding]:
        if not self.forge.has_token():
            raise Denied(f"there is no token for {self.forge.address}", next_step=advice.GIVE_FORGE_TOKEN())
        return []

    def _repository(self, release: Release) -> list[Finding]:
        repository = self.forge.repository()
        _require_same_repository(repository, release, self.forge.address)
        proven = [
            Finding(surface=_FORGE, certainty=Certainty.PROVEN, detail=f"{repository.full_name} exists and is readable")
        ]
        if not self.forge.has_token():
            return proven
        if repository.can_push is False:
            raise Denied(
                f"the token may not write to {repository.full_name}",
                where=self.forge.address,
                next_step=advice.ALLOW_WRITING(),
            )
        if repository.can_push is None:
            return [
                *proven,
                _to_prove_later(_FORGE, "the forge does not say whether the token may write", self.proven_by_draft),
            ]
        return [
            *proven,
            Finding(
                surface=_FORGE, certainty=Certainty.PROVEN, detail=f"the token may write to {repository.full_name}"
            ),
        ]


def _tag(forge: Forge, release: Release) -> Finding:
    """Check that no deleted immutable release used the tag: the forge would take a draft, but never publish it.

    A forge does not list deleted releases, but its attestations of published ones stay.
    """
    if forge.public(release.tag) is not None:
        return Finding(surface=_FORGE, certainty=Certainty.PROVEN, detail=f"there is a public release of {release.tag}")
    attested = forge.attested(release.tag)
    if attested:
        raise Refused(
            f"an immutable release used the tag {release.tag} and was deleted: the forge publishes no other with it",
            where=forge.address,
            next_step=advice.RELEASE_NEW_VERSION(why="the tag can never be used again"),
        )
    if attested is None:
        return _to_prove_later(
            _FORGE, f"the forge does not say whether a deleted immutable release used the tag {release.tag}", "undraft"
        )
    detail = f"no attestation of an immutable release with the tag {release.tag}"
    return Finding(surface=_FORGE, certainty=Certainty.PROVEN, detail=detail)


def _require_same_repository(repository: ForgeRepository, release: Release, address: str) -> None:
    if repository.full_name.lower() != release.repository.lower():
        raise Refused(
            f"the repository is {repository.full_name}, but {release.repository} is being released:"
            " was it moved or renamed?",
            where=address,
            next_step=advice.SET_REPOSITORY(repository=repository.full_name),
        )
    if repository.archived:
        raise Refused(
            f"{repository.full_name} is archived: nothing can be written to it",
            where=address,
            next_step=advice.UNARCHIVE_REPOSITORY(),
        )


def _push_login(registry: Registry) -> list[Finding]:
    login = registry.credential()
    if not login.present:
        raise Denied(f"there is no login for {registry.name}: {login.origin}", next_step=advice.GIVE_REGISTRY_LOGIN())
    return [_to_prove_later(registry.name, f"login from {login.origin}", "registry")]


def _prove_push(registry: Registry) -> list[Finding]:
    _push_login(registry)
    if not registry.may_push():
        raise Denied(
            f"the login may not push to {registry.name}", where=registry.page, next_step=advice.GIVE_REGISTRY_LOGIN()
        )
    detail = "the login may push: the registry let an upload begin"
    return [Finding(surface=registry.name, certainty=Certainty.PROVEN, detail=detail)]


def _login(index: Index, release: Release, proven_by: str, upto: LoginProbe) -> list[Finding]:
    login = index.credential()
    if (login.minted or not login.present) and _is_there(index, release):
        how = f"{login.origin}, not used yet" if login.present else "no login"
        detail = f"{how}; {release.version} is there already, and a complete release needs no login"
        return [_to_prove_later(index.name, detail, proven_by)]
    if not login.present:
        next_step = login.remedy.then(advice.GIVE_INDEX_LOGIN())
        raise Denied(f"there is no login for {index.name}: {login.origin}", next_step=next_step)
    waits = ""
    if login.minted and upto is LoginProbe.MINTING and index.status(release.project) is None:
        upto = LoginProbe.ASKING
        waits = "; no token is minted yet, since that would create the project"
    proved = index.prove_login(release.project, upto)
    warned = (
        [_to_prove_later(index.name, proved.warning, proven_by, certainty=Certainty.DOUBTFUL)] if proved.warning else []
    )
    if proved.taken:
        return [Finding(surface=index.name, certainty=Certainty.PROVEN, detail=proved.detail), *warned]
    first = "" if login.minted else "; the index answers only at the first upload"
    return [_to_prove_later(index.name, f"{proved.detail}{waits}{first}", proven_by), *warned]


def _is_there(index: Index, release: Release) -> bool:
    return bool(index.holding(release.project, release.version).names)


def _name(index: Index, release: Release, proven_by: str) -> Finding:
    """Check that the index has the project and takes files of it. Raises `Refused`."""
    status = index.status(release.project)
    if status is None:
        detail = f"no project {release.project} yet: this is its first release, and the first upload creates it"
        if index.credential().minted:
            detail += f"; {_PENDING}"
        return _to_prove_later(index.name, detail, proven_by)
    if status.takes_uploads is False:
        return _closed(index, release, status, proven_by)
    reason = f" ({status.reason})" if status.reason else ""
    if status.takes_uploads is None:
        detail = f"the project {release.project} has the status {status.marker}{reason}, which may refuse uploads"
        return _to_prove_later(index.name, detail, proven_by, certainty=Certainty.DOUBTFUL)
    detail = f"the project {release.project} exists"
    if status.marker != "active":
        detail += f", and is {status.marker} there{reason}"
    return Finding(surface=index.name, certainty=Certainty.PROVEN, detail=detail)


def _held(index: Index, release: Release) -> list[Finding]:
    """List the files of this version that the index holds already; ``check-dists`` compares them with ours."""
    names = tuple(sorted(index.holding(release.project, release.version).names))
    if not names:
        return []
    detail = f"it holds files of {release.version} already: {', '.join(names)}"
    return [Finding(surface=index.name, certainty=Certainty.PROVEN, detail=detail, held=names)]


def _closed(index: Index, release: Release, status: ProjectStatus, proven_by: str) -> Finding:
    """Raise `Refused`, unless the version is there already: a complete release needs no upload."""
    what = f"the project {release.project} is {status.marker} on {index.name}"
    if _is_there(index, release):
        detail = f"{what}; {release.version} is there already, and a complete release needs no upload"
        return _to_prove_later(index.name, detail, proven_by)
    reason = f": {status.reason}" if status.reason else ""
    raise Refused(
        f"{what}, which takes no files of it{reason}",
        where=index.page.format(project=release.project, version=release.version),
        next_step=_REOPEN[status.marker](index=index.name),
    )


def _report(context: StageContext, findings: list[Finding]) -> None:
    """Say what is not proven yet and what is there already, and warn about what may be refused."""
    for finding in findings:
        message = f"{finding.surface}: {finding.detail}; the stage {finding.proven_by} proves it"
        if finding.held or (finding.surface == SIGNATURES and finding.certainty is Certainty.PROVEN):
            context.say(f"{finding.surface}: {finding.detail}")
        elif finding.certainty is Certainty.UNPROVEN:
            context.say(message)
        elif finding.surface == SIGNATURES:
            context.warn(f"{finding.surface}: {finding.detail}")
        elif finding.certainty is Certainty.DOUBTFUL:
            context.warn(message)


def _to_prove_later(surface: str, detail: str, proven_by: str, certainty: Certainty = Certainty.UNPROVEN) -> Finding:
    return Finding(surface=surface, certainty=certainty, detail=detail, proven_by=proven_by)


def _combine(problems: list[UnmoorError]) -> UnmoorError:
    """Merge all problems into one error of the most serious kind: a wrong repository or login outweighs an unknown."""
    ranked = sorted(problems, key=lambda error: _PROBE_ERRORS.index(_kind(error)))
    first, *more = ranked
    if not more:
        return first
    retryable = all(error.retryable for error in ranked)
    # Some messages are tables: then each starts on its own line.
    between = "\n" if any("\n" in str(error) for error in ranked) else "; "
    return _kind(first)(
        between.join(map(str, ranked)),
        next_step=join(error.next_step for error in ranked),
        retryable=retryable,
        wait=max(error.wait for error in ranked),
        otherwise=join(error.otherwise for error in ranked),
    )


def _kind(error: UnmoorError) -> type[UnmoorError]:
    """The class of `_PROBE_ERRORS` that an error belongs to; adapters raise subclasses."""
    return next(kind for kind in _PROBE_ERRORS if isinstance(error, kind))
