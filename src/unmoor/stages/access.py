"""Access: logins, permissions and names, as far as each surface lets them be proven by reads alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Self

from unmoor.core.stage import Check, Output, Reach, StageContext
from unmoor.errors import Denied, Refused, Unknown, UnmoorError
from unmoor.ports.forge import Forge, ForgeRepository
from unmoor.ports.index import Index, LoginProbe
from unmoor.ports.registry import Registry
from unmoor.ports.services import Services
from unmoor.products import Access, Certainty, Finding, Release
from unmoor.release_request import ReleaseRequest

_FORGE = "forge"
_HOW_TO_GIVE_ONE = "set GITHUB_TOKEN or GH_TOKEN (contents: write), or name a token in the world file"
_LOGIN = (
    "set UNMOOR_PYPI_PASSWORD (for the staging index UNMOOR_TESTPYPI_PASSWORD) to an API token, or use TWINE_PASSWORD,"
    " ~/.pypirc, a keyring, the world file or trusted publishing"
)
_PUSH_LOGIN = (
    "give the token `packages: write`, set UNMOOR_REGISTRY_<HOST>_USERNAME and _PASSWORD, or name a [[registry]] login"
    " in the world file"
)
# What every look raises when it cannot answer, the gravest first; anything else is a fault or an interruption.
_SAID_NO: tuple[type[UnmoorError], ...] = (Refused, Denied, Unknown)


@dataclass(frozen=True)
class AccessProbe:
    """One question: where, which stage proves what it cannot, and whether a no stops the run."""

    surface: str
    proven_by: str
    counts: bool
    ask: Callable[[], list[Finding]]


def _index_looks(index: Index, release: Release, proven_by: str, *, writes: bool, counts: bool) -> list[AccessProbe]:
    upto = LoginProbe.MINTING if writes else LoginProbe.READING
    return [
        AccessProbe(index.name, proven_by, counts, lambda: [_login(index, release, proven_by, upto)]),
        AccessProbe(index.name, proven_by, counts, lambda: [_name(index, release, proven_by)]),
    ]


@dataclass(frozen=True, kw_only=True)
class ProveAccess(Check[Access]):
    """Look at every login, permission and name before anything is built.

    ``ceiling`` is how far the run may reach. What is known to be wrong at a surface that it will write
    to stops the run, everything at once in one error; elsewhere it is only listed as unproven, so
    that a job without credentials can plan, build and prove. With ``advisory_staging`` the staging
    index stops nobody either: what is wrong there is a warning. ``proven_by_draft`` and its kin name
    the stages that will prove what reads cannot.

    A token of trusted publishing is minted here only where this run would upload and the project is
    there: the exchange creates the project that a pending publisher names.
    """

    name: str = "access"
    release: Output[Release]
    index: Index
    staging: Index | None
    advisory_staging: bool = False
    forge: Forge
    registries: tuple[Registry, ...] = ()
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
            ceiling=request.ceiling,
        )

    def plan(self) -> str:
        """Say what would be looked at."""
        names = [self.forge.address, *(index.name for index in (self.staging, self.index) if index is not None)]
        names += [registry.name for registry in self.registries]
        return f"read what can be known of logins, permissions and names at {', '.join(names)}"

    def make(self, context: StageContext) -> Access:
        """Look everywhere, then raise everything that is wrong as one error, or list it."""
        release = context[self.release]
        findings: list[Finding] = []
        problems: list[UnmoorError] = []
        for look in self._looks(release):
            try:
                findings += look.ask()
            except _SAID_NO as error:
                if look.counts:
                    problems.append(error)
                elif self.ceiling is Reach.READS or self._is_advice(look):
                    context.warn(str(error))
                findings.append(_unproven(look.surface, error.in_brief(), look.proven_by))
        if problems:
            raise _together(problems)
        for finding in findings:
            if finding.standing is Certainty.UNPROVEN:
                context.say(f"{finding.surface}: {finding.detail}; the stage {finding.proven_by} will prove it")
        return Access(findings=tuple(findings))

    def _looks(self, release: Release) -> list[AccessProbe]:
        pushes, seals = self.ceiling >= Reach.REMOTE, self.ceiling >= Reach.FINAL
        looks = [
            AccessProbe(_FORGE, self.proven_by_draft, pushes, self._token),
            AccessProbe(_FORGE, self.proven_by_draft, pushes, lambda: self._repository(release)),
            AccessProbe(_FORGE, self.proven_by_undraft, pushes, lambda: [_tag(self.forge, release)]),
        ]
        if self.staging is not None:
            counts = pushes and not self.advisory_staging
            looks += _index_looks(self.staging, release, self.proven_by_staging, writes=pushes, counts=counts)
        for registry in self.registries:
            # The question is an upload that is begun and left: asked only where pushing follows.
            ask = _may_push if pushes else _push_login
            looks.append(AccessProbe(registry.name, "registry", pushes, partial(ask, registry)))
        return looks + _index_looks(self.index, release, self.proven_by_index, writes=seals, counts=seals)

    def _is_advice(self, look: AccessProbe) -> bool:
        return self.advisory_staging and self.ceiling >= Reach.REMOTE and look.proven_by == self.proven_by_staging

    def _token(self) -> list[Finding]:
        if not self.forge.has_token():
            raise Denied(f"there is no token for {self.forge.address}", next_step=_HOW_TO_GIVE_ONE)
        return []

    def _repository(self, release: Release) -> list[Finding]:
        seen = self.forge.repository()
        _same_repository(seen, release, self.forge.address)
        found = [
            Finding(surface=_FORGE, standing=Certainty.PROVEN, detail=f"{seen.full_name} is there and may be read")
        ]
        if not self.forge.has_token():
            return found
        if seen.can_push is False:
            raise Denied(
                f"the token may not write to {seen.full_name}",
                where=self.forge.address,
                next_step="give one that may: 'permissions: contents: write' in the workflow,"
                " or a token with Contents: read and write",
            )
        if seen.can_push is None:
            return [*found, _unproven(_FORGE, "whether the token may write is not told", self.proven_by_draft)]
        return [
            *found,
            Finding(surface=_FORGE, standing=Certainty.PROVEN, detail=f"the token may write to {seen.full_name}"),
        ]


def _tag(forge: Forge, release: Release) -> Finding:
    """See that the tag is not one that a deleted immutable release had: a draft of it can be made, and never published.

    What happened to a deleted release no forge tells; that it was published it has attested.
    """
    if forge.public(release.tag) is not None:
        return Finding(surface=_FORGE, standing=Certainty.PROVEN, detail=f"there is a public release of {release.tag}")
    attested = forge.attested(release.tag)
    if attested:
        raise Refused(
            f"an immutable release had the tag {release.tag} and was deleted: the forge publishes no other under it",
            where=forge.address,
            next_step="release the next version: such a tag never comes free",
        )
    if attested is None:
        return _unproven(
            _FORGE, f"whether a deleted immutable release had the tag {release.tag} is not told", "undraft"
        )
    detail = f"nothing attests that an immutable release had the tag {release.tag}"
    return Finding(surface=_FORGE, standing=Certainty.PROVEN, detail=detail)


def _same_repository(seen: ForgeRepository, release: Release, address: str) -> None:
    if seen.full_name.lower() != release.repository.lower():
        raise Refused(
            f"the repository is {seen.full_name}, and {release.repository} is to be released: was it moved or renamed?",
            where=address,
            next_step=f"set the repository to {seen.full_name} in the settings and in the git remote",
        )
    if seen.archived:
        raise Refused(
            f"{seen.full_name} is archived: nothing can be written to it",
            where=address,
            next_step="unarchive it in its settings on the forge",
        )


def _push_login(registry: Registry) -> list[Finding]:
    login = registry.credential()
    if not login.present:
        raise Denied(f"there is no login for {registry.name}: {login.origin}", next_step=_PUSH_LOGIN)
    return [_unproven(registry.name, f"login from {login.origin}", "registry")]


def _may_push(registry: Registry) -> list[Finding]:
    _push_login(registry)
    if not registry.may_push():
        raise Denied(f"the login may not push to {registry.name}", where=registry.page, next_step=_PUSH_LOGIN)
    return [
        Finding(surface=registry.name, standing=Certainty.PROVEN, detail="the login may push: an upload was let in")
    ]


def _login(index: Index, release: Release, proven_by: str, upto: LoginProbe) -> Finding:
    login = index.credential()
    there = bool(index.holding(release.project, release.version).names) if login.minted or not login.present else False
    if there:
        how = f"{login.origin}, not used yet" if login.present else "no login"
        detail = f"{how}, and {release.version} is there already: what is whole needs none"
        return _unproven(index.name, detail, proven_by)
    if not login.present:
        next_step = f"{login.remedy}; or {_LOGIN}" if login.remedy else _LOGIN
        raise Denied(f"there is no login for {index.name}: {login.origin}", next_step=next_step)
    waits = ""
    if login.minted and upto is LoginProbe.MINTING and not index.knows(release.project):
        upto = LoginProbe.ASKING
        waits = "; no token is minted yet, since that would create the project"
    proved = index.prove_login(release.project, upto)
    if proved.taken:
        return Finding(surface=index.name, standing=Certainty.PROVEN, detail=proved.detail)
    first = "" if login.minted else "; the index tells only at the first upload"
    return _unproven(index.name, f"{proved.detail}{waits}{first}", proven_by)


def _name(index: Index, release: Release, proven_by: str) -> Finding:
    if index.knows(release.project):
        detail = f"the project {release.project} is there"
        return Finding(surface=index.name, standing=Certainty.PROVEN, detail=detail)
    detail = f"no project {release.project} there yet: first release, the first upload creates it"
    return _unproven(index.name, detail, proven_by)


def _unproven(surface: str, detail: str, proven_by: str) -> Finding:
    return Finding(surface=surface, standing=Certainty.UNPROVEN, detail=detail, proven_by=proven_by)


def _together(problems: list[UnmoorError]) -> UnmoorError:
    """One error of all, of the gravest one's kind: a wrong repository or login outweighs what is unknown."""
    ranked = sorted(problems, key=lambda error: _SAID_NO.index(_kind(error)))
    first, *more = ranked
    if not more:
        return first
    steps = filter(None, dict.fromkeys(error.next_step for error in ranked))
    again = all(error.retryable for error in ranked)
    # Some are tables: each begins on a line of its own then.
    between = "\n" if any("\n" in str(error) for error in ranked) else "; "
    return _kind(first)(
        between.join(map(str, ranked)),
        next_step="; ".join(steps),
        retryable=again,
        wait=max(error.wait for error in ranked),
        otherwise="; ".join(filter(None, dict.fromkeys(error.otherwise for error in ranked))),
    )


def _kind(error: UnmoorError) -> type[UnmoorError]:
    """The kind that an error counts as; adapters raise narrower ones."""
    return next(kind for kind in _SAID_NO if isinstance(error, kind))
