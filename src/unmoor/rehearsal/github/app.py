"""The GitHub API of the local world, with the paths of GitHub Enterprise: ``/api/v3`` and ``/api/uploads``."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from unmoor.rehearsal.github.assets import Attachments
from unmoor.rehearsal.github.attestations import Attestations, AttestationStore
from unmoor.rehearsal.github.comments import Comments
from unmoor.rehearsal.github.git_data import GitData
from unmoor.rehearsal.github.issues import IssueRoutes
from unmoor.rehearsal.github.json_shapes import Shapes
from unmoor.rehearsal.github.leftovers import Leftovers
from unmoor.rehearsal.github.packages import Packages, PackageStore
from unmoor.rehearsal.github.pulls import Pulls
from unmoor.rehearsal.github.rate_limit import RateLimit
from unmoor.rehearsal.github.release_signer import ReleaseSigner
from unmoor.rehearsal.github.releases import Change, Git, Problem, Release, Releases, invalid
from unmoor.rehearsal.github.requests import METADATA, USER, RequestHandler, Rights
from unmoor.rehearsal.github.rulesets import Rulesets
from unmoor.rehearsal.github.run_history import RunHistoryRoutes
from unmoor.rehearsal.github.runs import Runs
from unmoor.rehearsal.github.settings import Settings
from unmoor.rehearsal.shared.http import answer_full, answer_gone, note
from unmoor.rehearsal.shared.job_tokens import JobTokens
from unmoor.rehearsal.shared.remote import Remote
from unmoor.rehearsal.shared.worldfile import Addresses, Credentials

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request


class ReleaseBody(msgspec.Struct, kw_only=True):
    """The body of a request that creates or changes a release."""

    tag_name: str | None = None
    target_commitish: str | None = None
    name: str | None = None
    body: str | None = None
    draft: bool | None = None
    prerelease: bool | None = None
    make_latest: Literal["true", "false", "legacy"] | None = None


class NotesBody(msgspec.Struct, kw_only=True):
    """The body of a request for generated notes."""

    tag_name: str | None = None
    target_commitish: str | None = None
    previous_tag_name: str | None = None
    configuration_file_path: str | None = None


class Forge(msgspec.Struct, frozen=True, kw_only=True):
    """The routes of the user, the repository, its refs and its releases."""

    handler: RequestHandler

    async def user(self, request: Request) -> Response:
        """``GET /user``."""
        if self.handler.rights(request, METADATA) is Rights.ANONYMOUS:
            raise Problem(HTTPStatus.UNAUTHORIZED, "Requires authentication")
        if self.handler.is_installation(request):
            raise Problem(HTTPStatus.FORBIDDEN, "Resource not accessible by integration")
        return JSONResponse(self.handler.shapes.viewer(USER))

    async def repo(self, request: Request) -> Response:
        """``GET /repos/{owner}/{repo}``."""
        rights = self.handler.rights(request, METADATA)
        branch = await asyncio.to_thread(self.handler.remote.default_branch)
        # To an installation GitHub reports all permissions as false, whatever they are.
        is_user = not self.handler.is_installation(request)
        push, admin = is_user and rights >= Rights.PUSH, is_user and self.handler.administers(request)
        may = {"admin": admin, "maintain": admin, "push": push, "triage": False, "pull": is_user}
        return JSONResponse(
            self.handler.shapes.repo(
                branch=branch,
                owner=self.handler.owner(),
                rights=may if rights else None,
                private=self.handler.is_private,
            )
        )

    async def ref(self, request: Request) -> Response:
        """``GET /git/ref/{ref}``: exactly that ref."""
        self.handler.rights(request)
        found = await asyncio.to_thread(self.handler.remote.ref, f"refs/{request.path_params['ref']}")
        if found is None:
            raise Problem(HTTPStatus.NOT_FOUND, "Not Found")
        return JSONResponse(self.handler.shapes.ref(found))

    async def matching(self, request: Request) -> Response:
        """``GET /git/matching-refs/{ref}``: every ref whose name begins with that."""
        self.handler.rights(request)
        found = await asyncio.to_thread(self.handler.remote.refs, f"refs/{request.path_params['ref']}")
        return self.handler.paged(request, found, self.handler.shapes.ref)

    async def tag(self, request: Request) -> Response:
        """``GET /git/tags/{sha}``: an annotated tag."""
        self.handler.rights(request)
        sha = request.path_params["sha"]
        found = await asyncio.to_thread(self.handler.remote.tag_object, sha)
        if found is None:
            raise Problem(HTTPStatus.NOT_FOUND, "Not Found")
        return JSONResponse(self.handler.shapes.tag(sha, found))

    async def listing(self, request: Request) -> Response:
        """``GET /releases``."""
        releases = self.handler.releases.listed(drafts=self.handler.sees_drafts(request))
        return self.handler.paged(request, releases, self.handler.shapes.encoded)

    async def latest(self, request: Request) -> Response:
        """``GET /releases/latest``."""
        self.handler.rights(request)
        release = self.handler.releases.latest()
        if release is None:
            raise Problem(HTTPStatus.NOT_FOUND, "Not Found")
        return JSONResponse(self.handler.shapes.release(release))

    async def by_tag(self, request: Request) -> Response:
        """``GET /releases/tags/{tag}``: published releases only, for any token."""
        self.handler.rights(request)
        release = self.handler.releases.by_tag(request.path_params["tag"])
        if release is None:
            raise Problem(HTTPStatus.NOT_FOUND, "Not Found")
        return JSONResponse(self.handler.shapes.release(release))

    async def get(self, request: Request) -> Response:
        """``GET /releases/{id}``."""
        drafts = self.handler.sees_drafts(request)
        return JSONResponse(
            self.handler.shapes.release(self.handler.releases.get(request.path_params["id"], drafts=drafts))
        )

    async def create(self, request: Request) -> Response:
        """``POST /releases``."""
        change = await self._change(request)
        release = self.handler.releases.create(change)
        self._note(request, release)
        shape = self.handler.shapes.release(release)
        return JSONResponse(shape, HTTPStatus.CREATED, {"location": shape["url"]})

    async def update(self, request: Request) -> Response:
        """``PATCH /releases/{id}``."""
        change = await self._change(request)
        before = self.handler.releases.get(request.path_params["id"], drafts=True)
        release = self.handler.releases.update(before, change)
        self._note(request, release)
        return JSONResponse(self.handler.shapes.release(release))

    async def generate_notes(self, request: Request) -> Response:
        """``POST /releases/generate-notes``: needs push access, although it changes nothing."""
        body = await self.handler.body(request, NotesBody)
        if not body.tag_name:
            raise invalid("Release", "missing_field", "tag_name")
        page = f"{self.handler.shapes.site}/{self.handler.shapes.repository}"
        before = body.previous_tag_name
        what = f"compare/{before}...{body.tag_name}" if before else f"commits/{body.tag_name}"
        return JSONResponse({"name": body.tag_name, "body": f"**Full Changelog**: {page}/{what}"})

    async def _change(self, request: Request) -> Change:
        body = await self.handler.body(request, ReleaseBody)
        return Change(
            tag=body.tag_name,
            target=body.target_commitish,
            name=body.name,
            body=body.body,
            draft=body.draft,
            prerelease=body.prerelease,
            make_latest=body.make_latest,
        )

    async def delete(self, request: Request) -> Response:
        """``DELETE /releases/{id}``."""
        self.handler.push(request)
        release = self.handler.releases.get(request.path_params["id"], drafts=True)
        self.handler.releases.delete(release)
        note(request, release=release.id, tag=release.tag)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    def _note(self, request: Request, release: Release) -> None:
        """Add what a release has become to the request's line in the log."""
        facts = {"tag": release.tag, "draft": release.draft, "prerelease": release.prerelease}
        note(request, release=release.id, **facts, latest=self.handler.releases.latest() == release)

    async def page(self, request: Request) -> Response:
        """``/owner/repo/releases/tag/{tag}``: the web page, in plain text."""
        release = self.handler.releases.by_tag(request.path_params["tag"])
        if release is None:
            return Response("Not Found", HTTPStatus.NOT_FOUND)
        names = "\n".join(asset.name for asset in release.assets)
        return Response(f"{release.name or release.tag}\n\n{release.body or ''}\n\n{names}\n", media_type="text/plain")


def _git(remote: Remote) -> Git:
    return Git(
        is_tag_name=remote.is_tag_name,
        has_tag=lambda tag: remote.ref(f"refs/tags/{tag}") is not None,
        object=lambda tag: found.sha if (found := remote.ref(f"refs/tags/{tag}")) else "",
        commit=remote.commit,
        make_tag=remote.make_tag,
        default_branch=remote.default_branch,
    )


def _routes(forge: Forge, assets: Attachments) -> list[Route]:
    root = "/api/v3/repos/{owner}/{repo}"
    at = f"{root}/releases"
    return [
        Route("/api/v3/user", forge.user),
        Route(root, forge.repo),
        Route(f"{root}/git/ref/{{ref:path}}", forge.ref),
        Route(f"{root}/git/matching-refs/{{ref:path}}", forge.matching),
        Route(f"{root}/git/tags/{{sha}}", forge.tag),
        Route(at, forge.listing),
        Route(at, forge.create, methods=["POST"]),
        Route(f"{at}/generate-notes", forge.generate_notes, methods=["POST"]),
        Route(f"{at}/latest", forge.latest),
        Route(f"{at}/tags/{{tag:path}}", forge.by_tag),
        Route(f"{at}/assets/{{id:int}}", assets.get),
        Route(f"{at}/assets/{{id:int}}", assets.amend, methods=["PATCH"]),
        Route(f"{at}/assets/{{id:int}}", assets.detach, methods=["DELETE"]),
        Route(f"{at}/{{id:int}}", forge.get),
        Route(f"{at}/{{id:int}}", forge.update, methods=["PATCH"]),
        Route(f"{at}/{{id:int}}", forge.delete, methods=["DELETE"]),
        Route(f"{at}/{{id:int}}/assets", assets.listing),
        Route("/api/uploads/repos/{owner}/{repo}/releases/{id:int}/assets", assets.attach, methods=["POST"]),
        Route("/{owner}/{repo}/releases/download/{tag:path}/{name}", assets.download),
        Route("/{owner}/{repo}/releases/tag/{tag:path}", forge.page),
    ]


async def _problem(_request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException):
        error = Problem(error.status_code, error.detail)
    if not isinstance(error, Problem):
        raise error
    answer: dict[str, Any] = {"message": error.message, "documentation_url": "https://docs.github.com/rest"}
    if error.errors:
        answer["errors"] = list(error.errors)
    return JSONResponse({**answer, "status": str(error.status)}, error.status)


def apps(
    folder: Path,
    *,
    addresses: Addresses,
    repository: str,
    remote: Remote,
    tokens: Credentials,
    jobs: JobTokens,
    trust: Path,
    package_store: PackageStore | None = None,
) -> tuple[Starlette, Starlette]:
    """Return the forge and its storage server as ASGI apps; their state is in ``folder``.

    The trusted root of what the forge signs itself is written to ``trust``.

    ``package_store`` has the packages of its registry; ``None`` if it has no registry.
    """
    base = addresses.forge
    signer = ReleaseSigner(folder=folder / "release-attestations", trust=trust, repository=repository)
    handler = RequestHandler(
        shapes=Shapes(api=f"{base}/api/v3", uploads=f"{base}/api/uploads", site=base, repository=repository),
        releases=Releases(folder=folder, git=_git(remote), attest=signer.attest),
        remote=remote,
        tokens={
            tokens.admin: Rights.ADMIN,
            tokens.forge: Rights.PUSH,
            tokens.installation: Rights.PUSH,
            tokens.read: Rights.READ,
        },
        jobs=jobs,
    )
    handlers: dict[Any, Callable[[Request, Exception], Awaitable[Response]]] = {
        Problem: _problem,
        HTTPException: _problem,
        ClientDisconnect: answer_gone,
        OSError: answer_full,
    }
    assets = Attachments(handler=handler, storage=addresses.storage)
    routes = [
        *_routes(Forge(handler=handler), assets),
        *Attestations(
            handler=handler, attestation_store=AttestationStore(folder / "attestations"), signer=signer
        ).routes(),
        *Runs(handler=handler).routes(),
        *RunHistoryRoutes(handler=handler).routes(),
        *Leftovers(handler=handler).routes(),
        *Pulls(handler=handler).routes(),
        *IssueRoutes(handler=handler).routes(),
        *GitData(handler=handler).routes(),
        *Comments(handler=handler).routes(),
        *Rulesets(handler=handler).routes(),
        *Settings(handler=handler).routes(),
        *Packages(handler=handler, package_store=package_store).routes(),
    ]
    forge = Starlette(routes=routes, exception_handlers=handlers, middleware=[Middleware(RateLimit, folder=folder)])
    forge.router.redirect_slashes = False
    return forge, Starlette(routes=[Route("/{id:int}", assets.stored)])
