"""Git's objects and branches through the API: blobs, trees, commits, and refs that move without force.

Source: ``/repos/{owner}/{repo}/git/…`` in GitHub's description of its API.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from unmoor.filesystem.temporary import temporary_folder
from unmoor.rehearsal.github.releases import Problem, invalid
from unmoor.rehearsal.github.requests import USER, RequestHandler
from unmoor.util.digests import is_commit

if TYPE_CHECKING:
    from starlette.requests import Request

_IDENTITY: Final = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", USER), ("EMAIL", f"{USER}@localhost"))
}
_HEADS: Final = "refs/heads/"


class BlobBody(msgspec.Struct, kw_only=True):
    """The body of a request that makes a blob."""

    content: str
    encoding: Literal["utf-8", "base64"] = "utf-8"


class TreeEntryBody(msgspec.Struct, kw_only=True):
    """An entry of a new tree; ``sha`` is null for one that is removed."""

    path: str
    mode: Literal["100644", "100755", "040000", "160000", "120000"]
    type: Literal["blob", "tree", "commit"]
    sha: str | None = None


class TreeBody(msgspec.Struct, kw_only=True):
    """The body of a request that makes a tree."""

    tree: list[TreeEntryBody]
    base_tree: str | None = None


class CommitBody(msgspec.Struct, kw_only=True):
    """The body of a request that makes a commit."""

    message: str
    tree: str
    parents: list[str] = msgspec.field(default_factory=list)


class RefBody(msgspec.Struct, kw_only=True):
    """The body of a request that makes a ref."""

    ref: str
    sha: str


class MovedRefBody(msgspec.Struct, kw_only=True):
    """The body of a request that moves a ref."""

    sha: str
    force: bool = False


class GitData(msgspec.Struct, frozen=True, kw_only=True):
    """The routes of git's objects and branches."""

    handler: RequestHandler

    async def blob(self, request: Request) -> Response:
        """``GET /git/blobs/{sha}``."""
        self.handler.rights(request)
        sha = request.path_params["sha"]
        data = await asyncio.to_thread(self._object, sha, "blob")
        content = base64.encodebytes(data).decode()
        return JSONResponse({**self._shape("blobs", sha), "content": content, "encoding": "base64", "size": len(data)})

    async def make_blob(self, request: Request) -> Response:
        """``POST /git/blobs``."""
        body = await self.handler.body(request, BlobBody)
        try:
            data = base64.b64decode(body.content) if body.encoding == "base64" else body.content.encode()
        except binascii.Error:
            raise invalid("Blob", "invalid", "content") from None
        return self._made("blobs", await asyncio.to_thread(self._write_blob, data))

    async def tree(self, request: Request) -> Response:
        """``GET /git/trees/{sha}``: of a tree or a commit, with ``recursive`` everything below it."""
        self.handler.rights(request)
        deep = "recursive" in request.query_params
        return JSONResponse(await asyncio.to_thread(self._tree, request.path_params["sha"], deep=deep))

    async def make_tree(self, request: Request) -> Response:
        """``POST /git/trees``: entries on top of another tree, or of nothing."""
        body = await self.handler.body(request, TreeBody)
        return self._made("trees", await asyncio.to_thread(self._write_tree, body.base_tree, body.tree))

    async def make_commit(self, request: Request) -> Response:
        """``POST /git/commits``."""
        body = await self.handler.body(request, CommitBody)
        return self._made("commits", await asyncio.to_thread(self._write_commit, body))

    async def make_ref(self, request: Request) -> Response:
        """``POST /git/refs``: a branch that is not there yet."""
        body = await self.handler.body(request, RefBody)
        await asyncio.to_thread(self._object, body.sha, "commit")
        if not body.ref.startswith(_HEADS):
            raise invalid("Reference", "invalid", "ref")
        zero = "0" * len(body.sha)
        if (await asyncio.to_thread(self.handler.remote.run, "update-ref", "--", body.ref, body.sha, zero)).code:
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "Reference already exists")
        return await self._ref(body.ref, HTTPStatus.CREATED)

    async def move_ref(self, request: Request) -> Response:
        """``PATCH /git/refs/heads/{branch}``: without force only to a commit that follows the one that is there."""
        body = await self.handler.body(request, MovedRefBody)
        name = _HEADS + request.path_params["branch"]
        remote = self.handler.remote
        found = await asyncio.to_thread(remote.ref, name)
        if found is None:
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "Reference does not exist")
        await asyncio.to_thread(self._object, body.sha, "commit")
        ahead = await asyncio.to_thread(remote.run, "merge-base", "--is-ancestor", found.sha, body.sha)
        may = body.force or ahead.code == 0
        # With the old value, for somebody may move it just now.
        if not may or (await asyncio.to_thread(remote.run, "update-ref", "--", name, body.sha, found.sha)).code:
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "Update is not a fast forward")
        return await self._ref(name, HTTPStatus.OK)

    async def _ref(self, name: str, status: HTTPStatus) -> Response:
        found = await asyncio.to_thread(self.handler.remote.ref, name)
        assert found is not None  # noqa: S101 - it was written just now
        return JSONResponse(self.handler.shapes.ref(found), status)

    def _object(self, sha: str, kind: str) -> bytes:
        """The content of an object. Raises a 404 if there is none of that kind."""
        ran = self.handler.remote.run("cat-file", kind, sha) if is_commit(sha) else None
        if ran is None or ran.code:
            raise Problem(HTTPStatus.NOT_FOUND, "Not Found")
        return ran.out

    def _write_blob(self, data: bytes) -> str:
        with temporary_folder() as folder:
            path = folder / "blob"
            path.write_bytes(data)
            return self._checked("hash-object", "-w", "--no-filters", "--", str(path))

    def _tree(self, name: str, *, deep: bool) -> dict[str, Any]:
        remote = self.handler.remote
        commit = remote.commit(name) or name
        ran = remote.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit}^{{tree}}")
        if ran.code:
            raise Problem(HTTPStatus.NOT_FOUND, "Not Found")
        sha = ran.out.decode().strip()
        out = remote.run("ls-tree", "-z", "--long", *(("-r", "-t") if deep else ()), sha).out.decode(errors="replace")
        entries = []
        for line in filter(None, out.split("\0")):
            head, _, path = line.partition("\t")
            mode, kind, found, size = head.split()
            plain = {"path": path, "mode": mode, "type": kind, "sha": found}
            entries.append(plain | ({"size": int(size)} if size.isdigit() else {}))
        return {**self._shape("trees", sha), "tree": entries, "truncated": False}

    def _write_tree(self, base: str | None, entries: Sequence[TreeEntryBody]) -> str:
        remote = self.handler.remote
        with temporary_folder() as folder:
            index = {"GIT_INDEX_FILE": str(folder / "index")}
            if base is not None:
                self._object(base, "tree")
                remote.run("read-tree", base, env=index)
            for each in entries:
                if each.sha is None:
                    args: tuple[str, ...] = ("--force-remove", "--", each.path)
                else:
                    self._object(each.sha, each.type)
                    args = ("--add", "--cacheinfo", f"{each.mode},{each.sha},{each.path}")
                if remote.run("update-index", *args, env=index).code:
                    raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "tree.path contains a malformed path component")
            return remote.run("write-tree", env=index).out.decode().strip()

    def _write_commit(self, body: CommitBody) -> str:
        self._object(body.tree, "tree")
        for parent in body.parents:
            self._object(parent, "commit")
        parents = [word for parent in body.parents for word in ("-p", parent)]
        return self._checked("commit-tree", body.tree, *parents, "-m", body.message, env=_IDENTITY)

    def _checked(self, *args: str, env: dict[str, str] | None = None) -> str:
        ran = self.handler.remote.run(*args, env=env)
        if ran.code:
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "Invalid request")
        return ran.out.decode().strip()

    def _made(self, kind: str, sha: str) -> Response:
        return JSONResponse(self._shape(kind, sha), HTTPStatus.CREATED)

    def _shape(self, kind: str, sha: str) -> dict[str, Any]:
        return {"sha": sha, "url": f"{self.handler.shapes.root}/git/{kind}/{sha}"}

    def routes(self) -> list[Route]:
        """The routes below the API's address."""
        path = "/api/v3/repos/{owner}/{repo}/git"
        return [
            Route(f"{path}/blobs", self.make_blob, methods=["POST"]),
            Route(f"{path}/blobs/{{sha}}", self.blob),
            Route(f"{path}/trees", self.make_tree, methods=["POST"]),
            Route(f"{path}/trees/{{sha:path}}", self.tree),
            Route(f"{path}/commits", self.make_commit, methods=["POST"]),
            Route(f"{path}/refs", self.make_ref, methods=["POST"]),
            Route(f"{path}/refs/heads/{{branch:path}}", self.move_ref, methods=["PATCH"]),
        ]
