"""The routes of each service: what a request's path is called, so that it is the same in every round.

Tags, versions, digests, numbers and file names are ``{…}``. A test holds these tables against the servers' own routes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

import msgspec

from unmoor.rehearsal.faults.injection import EVERY

PATH = "=/"
"""How the route of an address begins that is a path itself, such as ``GET =/simple/demo/``; ``*`` may end it."""
OTHER = "/{other}"
"""The route of every path that no template of the service fits."""

_INDEX = """
POST /legacy/
GET /simple/
GET /simple/{name}/
GET /simple/{name}
GET /pypi/{name}/json
GET /pypi/{name}/{version}/json
GET /project/{name}/{version}/
GET /packages/{path*}
GET /integrity/{name}/{version}/{file}/provenance
POST,DELETE /manage/{name}/{what}
GET /_/oidc/audience
POST /_/oidc/mint-token
POST /_/oidc/github/mint-token
"""
# The forge's API is below /api/v3, which its routes here leave out.
_FORGE = """
GET /user
GET /repos/{owner}/{repo}
GET /repos/{owner}/{repo}/git/ref/{ref*}
GET /repos/{owner}/{repo}/git/matching-refs/{ref*}
GET /repos/{owner}/{repo}/git/tags/{sha}
POST /repos/{owner}/{repo}/git/blobs
GET /repos/{owner}/{repo}/git/blobs/{sha}
POST /repos/{owner}/{repo}/git/trees
GET /repos/{owner}/{repo}/git/trees/{sha*}
POST /repos/{owner}/{repo}/git/commits
POST /repos/{owner}/{repo}/git/refs
PATCH /repos/{owner}/{repo}/git/refs/heads/{branch*}
GET,POST /repos/{owner}/{repo}/releases
POST /repos/{owner}/{repo}/releases/generate-notes
GET /repos/{owner}/{repo}/releases/latest
GET /repos/{owner}/{repo}/releases/tags/{tag*}
GET,PATCH,DELETE /repos/{owner}/{repo}/releases/assets/{id}
GET,PATCH,DELETE /repos/{owner}/{repo}/releases/{id}
GET /repos/{owner}/{repo}/releases/{id}/assets
POST /api/uploads/repos/{owner}/{repo}/releases/{id}/assets
GET /{owner}/{repo}/releases/download/{tag*}/{name}
GET /{owner}/{repo}/releases/tag/{tag*}
POST /repos/{owner}/{repo}/attestations
GET /repos/{owner}/{repo}/attestations/{digest}
GET /repos/{owner}/{repo}/actions/runs
GET /repos/{owner}/{repo}/actions/runs/{id}
GET /repos/{owner}/{repo}/actions/runs/{id}/attempts/{number}
GET /repos/{owner}/{repo}/actions/runs/{id}/jobs
GET /repos/{owner}/{repo}/actions/runs/{id}/approvals
POST /repos/{owner}/{repo}/actions/workflows/{file}/dispatches
GET /repos/{owner}/{repo}/actions/permissions/workflow
GET /repos/{owner}/{repo}/actions/artifacts
DELETE /repos/{owner}/{repo}/actions/artifacts/{id}
GET /repos/{owner}/{repo}/actions/caches
DELETE /repos/{owner}/{repo}/actions/caches/{id}
GET,POST /repos/{owner}/{repo}/pulls
PATCH /repos/{owner}/{repo}/pulls/{number}
GET,POST /repos/{owner}/{repo}/issues
PATCH /repos/{owner}/{repo}/issues/{number}
GET,POST /repos/{owner}/{repo}/issues/{number}/comments
PATCH /repos/{owner}/{repo}/issues/comments/{id}
GET /repos/{owner}/{repo}/rules/branches/{branch*}
GET,POST /repos/{owner}/{repo}/rulesets
GET,PUT,DELETE /repos/{owner}/{repo}/rulesets/{id}
GET /repos/{owner}/{repo}/branches/{branch*}
GET /repos/{owner}/{repo}/commits
GET /repos/{owner}/{repo}/commits/{sha}/check-runs
GET /repos/{owner}/{repo}/collaborators
GET /repos/{owner}/{repo}/environments
GET /repos/{owner}/{repo}/environments/{name}/deployment-branch-policies
GET /repos/{owner}/{repo}/immutable-releases
GET,DELETE /{owners}/{login}/packages/container/{name}
GET /{owners}/{login}/packages/container/{name}/versions
GET,DELETE /{owners}/{login}/packages/container/{name}/versions/{id}
"""
_ISSUER = """
GET /token
GET /token/{tag*}
GET /.well-known/openid-configuration
GET /.well-known/jwks
"""
_SIGSTORE = """
POST /api/v2/signingCert
GET /api/v2/trustBundle
GET /api/v1/log
GET /api/v1/log/publicKey
GET,POST /api/v1/log/entries
GET /api/v1/log/entries/{uuid}
"""
_REGISTRY = """
GET /v2/
GET,POST /token
GET,PUT,DELETE /v2/{name*}/manifests/{reference}
GET /v2/{name*}/tags/list
POST /v2/{name*}/blobs/uploads/
GET,PUT,PATCH,DELETE /v2/{name*}/blobs/uploads/{upload}
GET,DELETE /v2/{name*}/blobs/{digest}
GET /v2/{name*}/referrers/{digest}
"""
_CHAT = """
POST /slack/{team}/{bot}/{token}
POST /discord/{id}/{token}
POST /json/{number}
"""
_HUB = """
PUT /_lfs/{sha256}
GET /api/whoami-v2
POST /api/validate-yaml
POST /api/repos/create
POST /spaces/{owner}/{space}.git/info/lfs/objects/batch
GET /spaces/{owner}/{space}/resolve/{revision}/{path*}
GET /api/spaces/{owner}/{space}/revision/{revision}
GET /api/spaces/{owner}/{space}/commits/{revision}
GET /api/spaces/{owner}/{space}/tree/{revision}
GET /api/spaces/{owner}/{space}/tree/{revision}/{path*}
POST /api/spaces/{owner}/{space}/paths-info/{revision}
GET /api/spaces/{owner}/{space}/refs
POST /api/spaces/{owner}/{space}/tag/{revision}
POST /api/spaces/{owner}/{space}/preupload/{revision}
POST /api/spaces/{owner}/{space}/commit/{revision}
GET /api/spaces/{owner}/{space}/runtime
GET /api/spaces/{owner}/{space}/logs/{kind}
GET /api/spaces/{owner}/{space}
"""
_DOCS = """
GET /api/v3/projects/{project}/versions/
PATCH /api/v3/projects/{project}/versions/{slug}/
GET,POST /api/v3/projects/{project}/versions/{slug}/builds/
GET /api/v3/projects/{project}/builds/{number}/
POST /api/v3/projects/{project}/sync-versions/
"""

TABLES: Mapping[str, str] = {
    "pypi": _INDEX,
    "testpypi": _INDEX,
    "forge": _FORGE,
    "storage": "GET /{id}\n",
    "issuer": _ISSUER,
    "sigstore": _SIGSTORE,
    "registry": _REGISTRY,
    "announce": _CHAT,
    "hub": _HUB,
    "readthedocs": _DOCS,
}
_FORGE_API = "/api/v3"
_REGISTRIES = re.compile(r"registry(?:[2-9]|[1-9][0-9])?")
_LONGEST = 4_000


class _Template(msgspec.Struct, frozen=True):
    pattern: re.Pattern[str]
    name: str
    methods: tuple[str, ...]


def kind_of(service: str) -> str:
    """Return the kind of a service: every registry after the first has a number, such as ``registry2``."""
    return "registry" if _REGISTRIES.fullmatch(service) else service


def nth_registry(number: int) -> str:
    """Return the service of a registry by its number, from 1, in the order of its options."""
    return "registry" if number == 1 else f"registry{number}"


def route_of(service: str, method: str, path: str) -> str:
    """Return the route of a request, ``METHOD ROUTE``. A path that fits no template has the route `OTHER`."""
    kind = kind_of(service)
    if kind == "forge":
        path = path.removeprefix(_FORGE_API) if path.startswith(f"{_FORGE_API}/") else path
    if len(path) <= _LONGEST:
        for each in _templates(kind):
            if each.pattern.fullmatch(path):
                return f"{method} {each.name}"
    return f"{method} {OTHER}"


def routes(service: str) -> Iterator[str]:
    """Yield the routes that a service has, each as ``METHOD ROUTE``; none if there is no such service."""
    for each in _templates(kind_of(service)):
        for method in each.methods:
            yield f"{method} {each.name}"


def is_route(service: str, route: str) -> bool:
    """Whether a service may have requests of a route: one of its own by any method, every one, or any other."""
    method, _, name = route.partition(" ")
    known = {each.name for each in _templates(kind_of(service))} | {OTHER}
    is_method = re.fullmatch("[A-Z]{1,10}", method) is not None
    return route == EVERY or (is_method and (name in known or name.startswith(PATH)))


def has_path(route: str, method: str, path: str) -> bool:
    """Whether a request is one of those that an address names by its path; see `PATH`."""
    wanted, _, name = route.partition(" ")
    if wanted != method or not name.startswith(PATH):
        return False
    name = name[1:]
    return path.startswith(name[:-1]) if name.endswith("*") else path == name


@cache
def _templates(kind: str) -> tuple[_Template, ...]:
    """Read the table of a service. Templates with fewer placeholders come first, so ``latest`` is no ``{id}``."""
    made = []
    for line in TABLES.get(kind, "").split("\n"):
        methods, _, template = line.partition(" ")
        if template:
            parts = re.split(r"(\{[a-z0-9]+\*?\})", template)
            pattern = "".join(_pattern(part) for part in parts)
            made.append(_Template(re.compile(pattern), template.replace("*}", "}"), tuple(methods.split(","))))
    return tuple(sorted(made, key=lambda each: (each.name.count("{"), -len(each.name))))


def _pattern(part: str) -> str:
    if not part.startswith("{"):
        return re.escape(part)
    return ".+" if part.endswith("*}") else "[^/]+"
