"""The routes of a hub, as huggingface_hub 2.4 uses them, with its refusals: bad tokens, stale parents, lost bytes."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import msgspec
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from unmoor.rehearsal.hub.spaces import Blob, Change, Commit, HubProblem, Mood, Space, Spaces, has_sdk, needs_lfs
from unmoor.rehearsal.shared.http import answer_full, answer_gone, note
from unmoor.util.decode import decode_json
from unmoor.util.digests import is_sha256

if TYPE_CHECKING:
    from starlette.types import ASGIApp

_BODY = 200 << 20
_PAGE = 50


class HubTokens(msgspec.Struct, frozen=True, kw_only=True):
    """The tokens that a hub knows."""

    write: str
    read: str


class HubServer(msgspec.Struct, frozen=True, kw_only=True):
    """A hub at an address, its Spaces, and who may read and write them."""

    base: str
    spaces: Spaces
    tokens: HubTokens

    def routes(self) -> list[Route]:
        """Every route."""
        api = "/api/spaces/{owner}/{space}"
        git = "/spaces/{owner}/{space}.git/info/lfs/objects/batch"
        return [
            Route("/_lfs/{sha256}", self.store_lfs, methods=["PUT"]),
            Route("/api/whoami-v2", self.whoami),
            Route("/api/validate-yaml", self.validate, methods=["POST"]),
            Route("/api/repos/create", self.create, methods=["POST"]),
            Route(git, self.batch, methods=["POST"]),
            Route("/spaces/{owner}/{space}/resolve/{revision}/{path:path}", self.resolve),
            Route(f"{api}/revision/{{revision}}", self.info),
            Route(f"{api}/commits/{{revision}}", self.commits),
            Route(f"{api}/tree/{{revision}}", self.tree),
            Route(f"{api}/tree/{{revision}}/{{path:path}}", self.tree),
            Route(f"{api}/paths-info/{{revision}}", self.paths_info, methods=["POST"]),
            Route(f"{api}/refs", self.refs),
            Route(f"{api}/tag/{{revision}}", self.tag, methods=["POST"]),
            Route(f"{api}/preupload/{{revision}}", self.preupload, methods=["POST"]),
            Route(f"{api}/commit/{{revision}}", self.commit, methods=["POST"]),
            Route(f"{api}/runtime", self.runtime),
            Route(f"{api}/logs/{{kind}}", self.logs),
            Route(api, self.info),
        ]

    def _require_token(self, request: Request, *, writes: bool = False) -> None:
        """Raise a 401 for an unknown token, a 403 for one that may not write."""
        given = request.headers.get("authorization", "").removeprefix("Bearer ").encode()
        if hmac.compare_digest(given, self.tokens.write.encode()):
            return
        if not hmac.compare_digest(given, self.tokens.read.encode()):
            raise HubProblem(HTTPStatus.UNAUTHORIZED, "Invalid credentials in Authorization header")
        if writes:
            raise HubProblem(HTTPStatus.FORBIDDEN, "You don't have the rights to write to this repository")

    def _space(self, request: Request, *, writes: bool = False) -> tuple[str, Space]:
        self._require_token(request, writes=writes)
        name = f"{request.path_params['owner']}/{request.path_params['space']}"
        return name, self.spaces.open(name)

    async def whoami(self, request: Request) -> Response:
        """``GET /api/whoami-v2``."""
        self._require_token(request)
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        role = "read" if given == self.tokens.read else "write"
        return JSONResponse(
            {"type": "user", "name": "rehearsal", "auth": {"type": "access_token", "accessToken": {"role": role}}}
        )

    async def validate(self, request: Request) -> Response:
        """``POST /api/validate-yaml``: whether a README has metadata that the hub takes."""
        self._require_token(request)
        given = decode_json(await _body(request), dict[str, Any])
        if has_sdk(str(given.get("content", "")).encode()):
            return JSONResponse({"errors": [], "warnings": []})
        return JSONResponse(
            {"errors": [{"message": '"sdk" is required'}], "warnings": []}, status_code=HTTPStatus.BAD_REQUEST
        )

    async def create(self, request: Request) -> Response:
        """``POST /api/repos/create``: every Space is there already. Other clients ask."""
        self._require_token(request, writes=True)
        given = decode_json(await _body(request), dict[str, Any])
        name = f"{given.get('organization') or 'rehearsal'}/{given.get('name')}"
        answer = {"error": "You already created this space repo", "url": f"{self.base}/spaces/{name}"}
        return JSONResponse(answer, status_code=HTTPStatus.CONFLICT)

    async def info(self, request: Request) -> Response:
        """``GET /api/spaces/NAME``."""
        name, space = self._space(request)
        commit = space.at(request.path_params.get("revision", "main"))
        return JSONResponse(
            {
                "id": name,
                "sha": commit.id,
                "private": self.spaces.has(Mood.PRIVATE),
                "sdk": "gradio",
                "siblings": [{"rfilename": path} for path in sorted(commit.tree)],
                "runtime": {"stage": self._stage()},
            }
        )

    def _stage(self) -> str:
        """What the page of a Space shows, which does not follow each build."""
        moods = (Mood.PAUSED, Mood.SLEEPING)
        return next((mood.name for mood in moods if self.spaces.has(mood)), "RUNNING")

    async def commits(self, request: Request) -> Response:
        """``GET …/commits/REV``, a page of 50."""
        _, space = self._space(request)
        page = int(request.query_params.get("p", "0"))
        shown = space.commits[page * _PAGE : (page + 1) * _PAGE]
        answer = [
            {"id": each.id, "title": each.title, "message": "", "date": each.date, "authors": []} for each in shown
        ]
        more = len(space.commits) > (page + 1) * _PAGE
        here = f"{self.base}{request.url.path}?p={page + 1}"
        return JSONResponse(answer, headers={"Link": f'<{here}>; rel="next"'} if more else {})

    async def tree(self, request: Request) -> Response:
        """``GET …/tree/REV``: always recursive, as unmoor asks."""
        _, space = self._space(request)
        files = space.at(request.path_params["revision"]).tree
        return JSONResponse([_entry(path, blob) for path, blob in sorted(files.items())])

    async def paths_info(self, request: Request) -> Response:
        """``POST …/paths-info/REV``: some files."""
        _, space = self._space(request)
        body = await _body(request)
        given = decode_json(body, dict[str, Any]) if body.startswith(b"{") else parse_qs(body.decode())
        files = space.at(request.path_params["revision"]).tree
        return JSONResponse([_entry(path, files[path]) for path in given.get("paths", []) if path in files])

    async def refs(self, request: Request) -> Response:
        """``GET …/refs``."""
        _, space = self._space(request)
        tags = [{"name": name, "ref": f"refs/tags/{name}", "targetCommit": at} for name, at in space.tags.items()]
        main = {"name": "main", "ref": "refs/heads/main", "targetCommit": space.head.id}
        return JSONResponse({"branches": [main], "converts": [], "tags": tags})

    async def resolve(self, request: Request) -> Response:
        """``GET /spaces/NAME/resolve/REV/PATH``: the bytes of a file."""
        _, space = self._space(request)
        commit: Commit = space.at(request.path_params["revision"])
        blob = commit.tree.get(request.path_params["path"])
        data = self.spaces.bytes_of(blob.sha256) if blob else None
        if blob is None or data is None:
            raise HubProblem(HTTPStatus.NOT_FOUND, "Entry not found", "EntryNotFound")
        headers = {"ETag": f'"{blob.sha256 if blob.lfs else blob.oid}"', "X-Repo-Commit": commit.id}
        return Response(data, media_type="application/octet-stream", headers=headers)

    async def tag(self, request: Request) -> Response:
        """``POST …/tag/REV``."""
        name, _ = self._space(request, writes=True)
        given = decode_json(await _body(request), dict[str, Any])
        with self.spaces.lock:
            self.spaces.tag(name, str(given["tag"]), request.path_params["revision"])
        note(request, tag=str(given["tag"])[:100])
        return JSONResponse({})

    async def preupload(self, request: Request) -> Response:
        """``POST …/preupload/REV``: how each file is to be sent."""
        _, space = self._space(request, writes=True)
        given = decode_json(await _body(request), dict[str, Any])
        answers = []
        for each in given["files"]:
            mode = "lfs" if needs_lfs(each["path"], each["size"]) else "regular"
            held = space.head.tree.get(each["path"])
            answers.append(
                {
                    "path": each["path"],
                    "uploadMode": mode,
                    "shouldIgnore": False,
                    **({"oid": held.sha256 if held.lfs else held.oid} if held else {}),
                }
            )
        return JSONResponse({"files": answers})

    async def batch(self, request: Request) -> Response:
        """``POST NAME.git/info/lfs/objects/batch``: where to send what the store lacks."""
        self._space(request, writes=True)
        given = decode_json(await _body(request), dict[str, Any])
        objects = []
        for each in given["objects"]:
            held = self.spaces.bytes_of(each["oid"]) if is_sha256(each["oid"]) else None
            action = {"upload": {"href": f"{self.base}/_lfs/{each['oid']}", "header": {}}}
            objects.append({**each, **({} if held is not None else {"actions": action})})
        return JSONResponse({"transfer": "basic", "objects": objects}, media_type="application/vnd.git-lfs+json")

    async def store_lfs(self, request: Request) -> Response:
        """``PUT /_lfs/SHA256``: the storage, whose address is a credential."""
        data = await _body(request)
        if hashlib.sha256(data).hexdigest() != request.path_params["sha256"]:
            raise HubProblem(HTTPStatus.BAD_REQUEST, "The checksum is another one")
        self.spaces.keep(data)
        return Response()

    async def commit(self, request: Request) -> Response:
        """``POST …/commit/REV``: lines of JSON, a header and then a change each."""
        name, _ = self._space(request, writes=True)
        change = _change(await _body(request))
        with self.spaces.lock:
            made = self.spaces.commit(name, change)
        note(request, commit=made, files=len(change.files) + len(change.lfs), deleted=len(change.deleted))
        return JSONResponse(
            {"success": True, "commitOid": made, "commitUrl": f"{self.base}/spaces/{name}/commit/{made}"}
        )

    async def runtime(self, request: Request) -> Response:
        """``GET …/runtime``."""
        name, _ = self._space(request)
        with self.spaces.lock:
            return JSONResponse(self.spaces.runtime(name))

    async def logs(self, request: Request) -> Response:
        """``GET …/logs/{build,run}``: a stream of events."""
        self._space(request)
        lines = {
            "build": (
                "--> COPY . /app\n",
                "--> RUN pip install -r requirements.txt\n",
                "ERROR: No matching distribution\n",
            ),
            "run": ("Traceback (most recent call last):\n", "ModuleNotFoundError: No module named 'lighthouse'\n"),
        }.get(request.path_params["kind"], ())
        events = [f"data: {json.dumps({'timestamp': '2026-01-01T00:00:00Z', 'data': line})}\n\n" for line in lines]
        return Response("".join(events) + "data:\n\n", media_type="text/event-stream")


def _entry(path: str, blob: Blob) -> dict[str, object]:
    lfs = {"lfs": {"oid": blob.sha256, "size": blob.size, "pointerSize": 130}} if blob.lfs else {}
    return {"type": "file", "path": path, "size": blob.size, "oid": blob.oid, **lfs}


def _change(body: bytes) -> Change:
    """Read a commit. Raises a 400."""
    title, parent = "", None
    files: dict[str, bytes] = {}
    lfs: dict[str, str] = {}
    deleted: list[str] = []
    try:
        for line in body.splitlines():
            entry = decode_json(line, dict[str, Any])
            value = entry["value"]
            match entry["key"]:
                case "header":
                    title, parent = value["summary"], value.get("parentCommit")
                case "file":
                    files[value["path"]] = base64.b64decode(value["content"], validate=True)
                case "lfsFile":
                    lfs[value["path"]] = value["oid"]
                case "deletedFile":
                    deleted.append(value["path"])
                case other:
                    raise HubProblem(HTTPStatus.BAD_REQUEST, f"unknown operation {str(other)[:40]}")
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise HubProblem(HTTPStatus.BAD_REQUEST, "the commit is malformed") from None
    return Change(title=title, parent=parent, files=files, lfs=lfs, deleted=tuple(deleted))


async def _body(request: Request) -> bytes:
    """The whole body. Raises a 413."""
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > _BODY:
            raise HubProblem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the request is too large")
    return bytes(data)


async def _refuse(_request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HubProblem)  # noqa: S101 - the only kind that is registered
    headers = {"X-Error-Message": problem.message.encode("ascii", "replace").decode()}
    headers |= {"X-Error-Code": problem.code} if problem.code else {}
    return JSONResponse({"error": problem.message}, status_code=problem.status, headers=headers)


def app(folder: Path, *, base: str, tokens: HubTokens) -> ASGIApp:
    """Return a hub as an ASGI app; its state is in ``folder``."""
    handlers: dict[Any, Callable[[Request, Exception], Awaitable[Response]]] = {
        HubProblem: _refuse,
        ClientDisconnect: answer_gone,
        OSError: answer_full,
    }
    server = HubServer(base=base, spaces=Spaces(folder), tokens=tokens)
    return Starlette(routes=server.routes(), exception_handlers=handlers)
