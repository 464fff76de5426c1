"""Every fault by its name: what happens, where it may be put, and what it needs. `FaultKind` says who carries it out.

``targets`` are texts ``SERVICE[:METHOD[ ROUTE]]`` with ``*`` for all; a fault may be put at an address that fits one.
This module is long because it is one table, of every way in which a release is made to fail.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

import msgspec

from unmoor import advice
from unmoor.errors import ConfigError
from unmoor.rehearsal.faults import routes
from unmoor.rehearsal.faults.injection import EVERY, JOURNAL, START, Injected, parse


class FaultKind(StrEnum):
    """When a fault happens, as seen from the work of a request; the last ones are not of a server."""

    BEFORE = "before"  # the work is not done
    DURING = "during"  # half of the request's body is read
    AFTER = "after"  # the work is done, and the answer is lost or replaced
    ANSWER = "answer"  # the work is done, and its answer is changed on the way
    READ = "read"  # a read shows an earlier state
    REMOTE = "remote"  # the git remote is changed, at a request or at a line of the journal
    KILL = "kill"  # the client is sent a signal, at a request or at a line of the journal
    START = "start"  # the project, the checkout or a server's state is changed before the run; not by the layer


class Need(StrEnum):
    """What a machine or a project must have for a fault to be met."""

    ENGINE = "engine"  # a container engine, for images
    SIGNING = "signing"  # a project that signs


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """A fault: see the module. ``rebuilds`` are the stages that build again what was built before.

    ``of_built``: it changes what was built, so a release that begins from nothing cannot meet it.
    """

    name: str
    summary: str
    kind: FaultKind
    targets: tuple[str, ...] = ("*",)
    needs: tuple[Need, ...] = ()
    rebuilds: tuple[str, ...] = ()
    of_built: bool = False

    def fits(self, service: str, route: str) -> bool:
        """Whether it may be put at an address. One that counts every request fits a fault for some route."""
        return any(_fits(target, service, route) for target in self.targets)


def _fits(target: str, service: str, route: str) -> bool:
    wanted, _, rest = target.partition(":")
    kind = routes.kind_of(service)
    if wanted not in ("*", kind) or (wanted == "*" and kind in (JOURNAL, START)):
        return False
    if not rest or EVERY in (rest, route):
        return True
    methods, _, name = rest.partition(" ")
    method, _, asked = route.partition(" ")
    return method in methods.split(",") and (name in ("", asked) or asked.startswith(routes.PATH))


_READS = "*:GET,HEAD"
_UPLOADS = ("pypi:POST /legacy/", "testpypi:POST /legacy/")
_ASSET = "forge:POST /api/uploads/repos/{owner}/{repo}/releases/{id}/assets"
_RELEASE = "forge:POST,PATCH /repos/{owner}/{repo}/releases/{id}"
_MANIFEST = "registry:PUT /v2/{name}/manifests/{reference}"
_MINT = ("pypi:POST /_/oidc/mint-token", "testpypi:POST /_/oidc/mint-token")
_EVERYWHERE = ("*", JOURNAL)
_BODIES = ("*:POST,PUT,PATCH",)
_WITH_BODIES = ("*:GET", "forge:POST,PATCH", "sigstore:POST", "hub:POST", "readthedocs:POST")
_FILES = (
    "pypi:GET /packages/{path}",
    "testpypi:GET /packages/{path}",
    "storage:GET",
    "registry:GET /v2/{name}/blobs/{digest}",
    "registry:GET /v2/{name}/manifests/{reference}",
)
_BUILDS = ("dists", "images")
_CHECKOUT, _PROJECT, _WORLD, _RUN = (f"{START}:* {what}" for what in ("checkout", "project", "world", "run"))

_BEFORE = (
    Fault(name="slow", summary="the work is done and answered half a second late", kind=FaultKind.BEFORE),
    Fault(
        name="busy",
        summary="429 with `Retry-After: 1`, and nothing is done",
        kind=FaultKind.BEFORE,
    ),
    Fault(name="busy-for-hours", summary="429 with `Retry-After: 55569`", kind=FaultKind.BEFORE),
    Fault(
        name="rate-limited",
        summary="403 of GitHub's secondary rate limit, with `Retry-After: 1`",
        kind=FaultKind.BEFORE,
        targets=("forge",),
    ),
    Fault(name="bad-request", summary="400, as if the request were wrong", kind=FaultKind.BEFORE),
    Fault(name="forbidden", summary="403, as if a permission were missing", kind=FaultKind.BEFORE),
    Fault(name="broken", summary="500 before anything is done", kind=FaultKind.BEFORE),
    Fault(name="bad-gateway", summary="502 with a page of HTML", kind=FaultKind.BEFORE),
    Fault(name="down", summary="503; met for ever, the server is down", kind=FaultKind.BEFORE),
    Fault(
        name="reset-before", summary="the connection is reset before the request's body is read", kind=FaultKind.BEFORE
    ),
    Fault(name="garbage", summary="200 and a page that is no answer; nothing is done", kind=FaultKind.BEFORE),
    Fault(name="silent", summary="reads the request, does nothing and never answers", kind=FaultKind.BEFORE),
    Fault(name="drip", summary="does nothing and answers a byte at a time, without an end", kind=FaultKind.BEFORE),
    Fault(
        name="expired-token",
        summary="takes the request's credentials for expired ones",
        kind=FaultKind.BEFORE,
        targets=(
            "pypi:POST",
            "testpypi:POST",
            "forge",
            "registry",
            "sigstore:POST",
            "issuer:GET",
            "hub",
            "readthedocs",
        ),
    ),
    Fault(
        name="file-too-large",
        summary="400, as for a file over the limit",
        kind=FaultKind.BEFORE,
        targets=_UPLOADS,
    ),
    Fault(
        name="name-used-before",
        summary="400, as for the name of a file that was deleted",
        kind=FaultKind.BEFORE,
        targets=_UPLOADS,
    ),
    Fault(
        name="release-closed",
        summary="400, as for a release that is older than 14 days",
        kind=FaultKind.BEFORE,
        targets=_UPLOADS,
    ),
    Fault(
        name="invalid-publisher",
        summary="422, as for a job that is no trusted publisher",
        kind=FaultKind.BEFORE,
        targets=_MINT,
        needs=(Need.SIGNING,),
    ),
    Fault(
        name="immutable-tag",
        summary="400, as for a tag that must not move",
        kind=FaultKind.BEFORE,
        targets=(_MANIFEST,),
        needs=(Need.ENGINE,),
    ),
    Fault(
        name="immutable-release",
        summary="422, as for a tag of a deleted immutable release",
        kind=FaultKind.BEFORE,
        targets=(_RELEASE, "forge:POST /repos/{owner}/{repo}/releases"),
    ),
)
_DURING = (
    Fault(
        name="reset-during",
        summary="the connection is reset after half of the request's body",
        kind=FaultKind.DURING,
        targets=_BODIES,
    ),
)
_AFTER = (
    Fault(name="lost-reply", summary="the work is done, and the connection closed", kind=FaultKind.AFTER),
    Fault(name="reset-after", summary="the work is done, and the connection reset", kind=FaultKind.AFTER),
    Fault(name="broken-after", summary="the work is done, and the answer is 500", kind=FaultKind.AFTER),
    Fault(name="down-after", summary="the work is done, and the answer is 503", kind=FaultKind.AFTER),
    Fault(name="silent-after", summary="the work is done, and no answer ever comes", kind=FaultKind.AFTER),
)
_ANSWER = (
    Fault(name="truncated", summary="half of the answer's body, then the connection is closed", kind=FaultKind.ANSWER),
    Fault(
        name="malformed",
        summary="an answer whose second half is no text of its kind",
        kind=FaultKind.ANSWER,
        targets=_WITH_BODIES,
    ),
    Fault(name="damaged", summary="a file with another byte in its middle", kind=FaultKind.ANSWER, targets=_FILES),
    Fault(
        name="slow-body",
        summary="the whole answer, in pieces with pauses",
        kind=FaultKind.ANSWER,
        targets=_WITH_BODIES,
    ),
    Fault(
        name="wrong-digest",
        summary="other digests in headers, index pages and descriptions of assets",
        kind=FaultKind.ANSWER,
        targets=("registry", "pypi:GET,HEAD", "testpypi:GET,HEAD", "forge"),
    ),
    Fault(
        name="renamed-asset",
        summary="the answer gives an asset another name",
        kind=FaultKind.ANSWER,
        targets=(_ASSET,),
    ),
)
_READ = (
    Fault(
        name="stale",
        summary="shows the first answer of the round to such a request, or else nothing yet",
        kind=FaultKind.READ,
        targets=(_READS,),
    ),
    Fault(
        name="lagging",
        summary="shows nothing yet: 404, or an empty list",
        kind=FaultKind.READ,
        targets=(_READS,),
    ),
)
_REMOTE = (
    Fault(
        name="moved-tag",
        summary="the tag leads to another commit",
        kind=FaultKind.REMOTE,
        targets=_EVERYWHERE,
    ),
    Fault(name="deleted-tag", summary="the tag is deleted on the remote", kind=FaultKind.REMOTE, targets=_EVERYWHERE),
    Fault(
        name="remade-tag",
        summary="the tag is deleted and made at the same commit, without its annotation",
        kind=FaultKind.REMOTE,
        targets=_EVERYWHERE,
    ),
    Fault(name="refusing-hook", summary="the remote refuses every push", kind=FaultKind.REMOTE, targets=_EVERYWHERE),
)
_START = (
    Fault(
        name="name-taken",
        summary="another file has the name",
        kind=FaultKind.START,
        targets=(_WORLD,),
        of_built=True,
    ),
    Fault(
        name="sent-before",
        summary="a file is there already",
        kind=FaultKind.START,
        targets=(_WORLD,),
        of_built=True,
    ),
    Fault(
        name="junk-dependency",
        summary="the staging index has a higher version of a dependency, which cannot be imported",
        kind=FaultKind.START,
        targets=(_WORLD,),
        of_built=True,
    ),
    Fault(
        name="files-lost",
        summary="the files that were built are gone, and a build gives others",
        kind=FaultKind.START,
        targets=(_RUN,),
        rebuilds=_BUILDS,
        of_built=True,
    ),
    Fault(
        name="tampered-dist",
        summary="a byte of a built file is changed after its tests",
        kind=FaultKind.START,
        targets=(_RUN,),
        of_built=True,
    ),
    Fault(
        name="data-left-out",
        summary="the tag leads to a commit whose package reads a file that the build leaves out of the wheel",
        kind=FaultKind.START,
        targets=(_PROJECT,),
        rebuilds=_BUILDS,
    ),
    Fault(name="shallow-clone", summary="the checkout is shallow", kind=FaultKind.START, targets=(_CHECKOUT,)),
    Fault(name="dirty-tree", summary="the checkout has changes", kind=FaultKind.START, targets=(_CHECKOUT,)),
    Fault(
        name="two-tags",
        summary="the tag of a candidate is at the commit, too",
        kind=FaultKind.START,
        targets=(_CHECKOUT,),
    ),
    Fault(
        name="odd-tag",
        summary="tags in other spellings, and with a command in the name",
        kind=FaultKind.START,
        targets=(_CHECKOUT,),
    ),
    Fault(
        name="second-run",
        summary="the same command runs beside it",
        kind=FaultKind.START,
        targets=(_RUN,),
    ),
    Fault(
        name="higher-version",
        summary="a higher version is released already, and is the latest everywhere",
        kind=FaultKind.START,
        targets=(_WORLD,),
    ),
    Fault(
        name="platform-missing",
        summary="the images that were built lack those of a platform",
        kind=FaultKind.START,
        targets=(_RUN,),
        needs=(Need.ENGINE,),
        rebuilds=("images",),
        of_built=True,
    ),
    Fault(
        name="child-missing",
        summary="the registry lacks an image of an index that an earlier version left",
        kind=FaultKind.START,
        targets=(_WORLD,),
        needs=(Need.ENGINE,),
    ),
)
_KILLS = (
    Fault(
        name="KILL",
        summary="the client is killed",
        kind=FaultKind.KILL,
        targets=_EVERYWHERE,
    ),
    Fault(name="TERM", summary="the client is asked to end", kind=FaultKind.KILL, targets=_EVERYWHERE),
    Fault(name="INT", summary="the client is interrupted, as by Ctrl-C", kind=FaultKind.KILL, targets=_EVERYWHERE),
)

FAULTS: Final[Mapping[str, Fault]] = {
    each.name: each for group in (_BEFORE, _DURING, _AFTER, _ANSWER, _READ, _REMOTE, _KILLS, _START) for each in group
}


def fault_of(injected: Injected) -> Fault:
    """Return the fault of an injection, which `check` has let through."""
    return FAULTS[injected.fault]


def read(text: str, *, where: str = "a plan of faults") -> Injected:
    """Read an injection, and check it. Raises `ConfigError`."""
    try:
        injected = parse(text)
    except ValueError as error:
        example = "lost-reply@pypi:POST /legacy/#1"
        raise ConfigError(str(error), where=where, next_step=advice.WRITE_IT_AS(example=example)) from None
    return check(injected, where=where)


def check(injected: Injected, *, where: str = "a plan of faults") -> Injected:
    """Return an injection whose fault, service and route exist and fit. Raises `ConfigError` with the nearest names."""
    name, service, route = injected.fault, injected.service, injected.route
    if name not in FAULTS:
        raise _unknown("fault", name, FAULTS, where)
    fault = FAULTS[name]
    if service not in (JOURNAL, START):
        if routes.kind_of(service) not in routes.TABLES:
            raise _unknown("service", service, (*routes.TABLES, JOURNAL, START), where)
        if not routes.is_route(service, route):
            raise _unknown(f"route of {service}", route, (*routes.routes(service), EVERY), where)
    if not fault.fits(service, f"* {route}" if service == START else route):
        places = ", ".join(target.replace(":* ", ":") for target in fault.targets)
        raise ConfigError(
            f"the fault {name} cannot happen at {service}:{route}",
            where=where,
            next_step=advice.WRITE_IT_AS(example=f"{name} at one of: {places}"),
        )
    first = f"{name}@{service}:{route}#1"
    if service == START and str(injected) != first:
        raise ConfigError(
            f"{str(injected)!r}: what is in place before the run has no second time",
            where=where,
            next_step=advice.WRITE_IT_AS(example=first),
        )
    return injected


def nearest(name: str, known: Iterable[str], *, cutoff: float) -> list[str]:
    """Return at most three of the known names that are most like another one. Its case does not matter."""
    spelled = {each.lower(): each for each in known}
    near = difflib.get_close_matches(name.lower(), spelled, n=3, cutoff=cutoff)
    return [spelled[each] for each in near]


def _unknown(what: str, name: str, known: Iterable[str], where: str) -> ConfigError:
    names = list(known)
    near = nearest(name, names, cutoff=0.5) or names
    return ConfigError(
        f"there is no {what} {name[:200]!r}",
        where=where,
        next_step=advice.WRITE_IT_AS(example=", or ".join(near[:8])),
    )
