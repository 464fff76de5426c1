"""What every route of the local forge needs: the sender's rights, JSON bodies, pages of lists."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from starlette.responses import Response

from unmoor.rehearsal.github.json_shapes import Shapes
from unmoor.rehearsal.github.releases import Problem, Releases
from unmoor.rehearsal.shared.http import drain
from unmoor.rehearsal.shared.job_tokens import JobToken, JobTokens
from unmoor.rehearsal.shared.remote import Remote
from unmoor.util.decode import described

if TYPE_CHECKING:
    from starlette.requests import Request

T = TypeVar("T")

USER = "rehearsal"
INSTALLATION = b"ghs_"
METADATA = "metadata"
"""The permission that every token has."""
ADMINISTRATION = "administration"
"""The permission to change the settings, which no workflow can give to a job."""
BODY_LIMIT = 4 << 20
PAGE = 30
MAX_PAGE = 100


class Rights(IntEnum):
    """The rights of a request's token."""

    ANONYMOUS = 0
    READ = 1
    PUSH = 2
    ADMIN = 3


class RequestHandler(msgspec.Struct, frozen=True, kw_only=True):
    """One repository on one forge; ``tokens`` are the rights of each known token, ``jobs`` the tokens of jobs.

    A permission is named as in a workflow: ``contents``, ``packages``, …
    """

    shapes: Shapes
    releases: Releases
    remote: Remote
    tokens: Mapping[str, Rights]
    jobs: JobTokens

    @property
    def is_organisation(self) -> bool:
        """Whether the repository's owner is an organisation instead of a user."""
        return (self.releases.folder / "organisation").exists()

    @property
    def is_private(self) -> bool:
        """Whether only users with a token see the repository."""
        return (self.releases.folder / "private").exists()

    def owner(self) -> dict[str, Any]:
        """Return the repository's owner."""
        login = self.shapes.repository.partition("/")[0]
        return self.shapes.user(login) | ({"type": "Organization"} if self.is_organisation else {})

    def is_ours(self, owner: str, name: str) -> bool:
        """Whether this names the repository; GitHub ignores case."""
        return f"{owner}/{name}".lower() == self.shapes.repository.lower()

    def rights(self, request: Request, scope: str = "contents", *, always: bool = False) -> Rights:
        """Return the rights of a request to what a permission is about, if its path names this repository.

        Without the permission, a job's token reads what is public; with ``always`` it cannot. Raises a 401, 403 or 404.
        """
        given = _token(request)
        rights = Rights.ANONYMOUS
        if given is not None:
            known = (may for token, may in self.tokens.items() if hmac.compare_digest(given, token.encode()))
            rights = next(known, rights)
            job = self.jobs.of(given)
            if job is not None:
                rights = self._rights_of(job, scope, always=always)
            if rights is Rights.ANONYMOUS:
                raise Problem(HTTPStatus.UNAUTHORIZED, "Bad credentials")
        params = request.path_params
        if "owner" in params and not self.is_ours(params["owner"], params["repo"]):
            raise Problem(HTTPStatus.NOT_FOUND, "Not Found")
        if "owner" in params and rights is Rights.ANONYMOUS and self.is_private:
            raise Problem(HTTPStatus.NOT_FOUND, "Not Found")
        return rights

    def _rights_of(self, job: JobToken, scope: str, *, always: bool) -> Rights:
        if job.may(scope, "write"):
            return Rights.PUSH
        if not job.may(scope, "read") and (always or (self.is_private and scope != METADATA)):
            raise Problem(HTTPStatus.FORBIDDEN, "Resource not accessible by integration")
        return Rights.READ

    def is_installation(self, request: Request) -> bool:
        """Whether the sender is a GitHub App's installation: it has no user, and cannot see its permissions."""
        return (_token(request) or b"").startswith(INSTALLATION)

    def push(self, request: Request, scope: str = "contents") -> None:
        """Require a permission to write. Raises a 401 or a 403."""
        rights = self.rights(request, scope)
        if rights is Rights.ANONYMOUS:
            raise Problem(HTTPStatus.UNAUTHORIZED, "Requires authentication")
        if rights is Rights.READ:
            raise Problem(HTTPStatus.FORBIDDEN, "Resource not accessible by integration")

    def sees_drafts(self, request: Request) -> bool:
        """Whether the sender sees drafts, which needs push access."""
        return self.rights(request) >= Rights.PUSH

    def administers(self, request: Request) -> bool:
        """Whether the sender may change the repository's settings."""
        job = self.jobs.of(_token(request) or b"")
        return self.rights(request, METADATA) is Rights.ADMIN if job is None else job.may(ADMINISTRATION, "write")

    def administer(self, request: Request) -> None:
        """Require the permission for the settings: a 401, a 404 to users, a 403 to apps and jobs."""
        if self.rights(request, METADATA) is Rights.ANONYMOUS:
            raise Problem(HTTPStatus.UNAUTHORIZED, "Requires authentication")
        given = _token(request) or b""
        if self.jobs.of(given) is not None or self.is_installation(request):
            if not self.administers(request):
                raise Problem(HTTPStatus.FORBIDDEN, "Resource not accessible by integration")
        elif not self.administers(request):
            raise Problem(HTTPStatus.NOT_FOUND, "Not Found")

    async def body(
        self, request: Request, kind: type[Any], scope: str = "contents", *, administers: bool = False
    ) -> Any:
        """Read the JSON body of a request that writes. Raises a 400, a 401, a 403, a 413 or a 422."""
        data = bytearray()
        async for piece in request.stream():
            data += piece
            if len(data) > BODY_LIMIT:
                await drain(request)
                raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Payload too large")
        if administers:
            self.administer(request)
        else:
            self.push(request, scope)
        try:
            return msgspec.json.decode(bytes(data) or b"{}", type=described(kind))
        except msgspec.ValidationError as error:
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"Invalid request.\n\n{error}") from None
        except (msgspec.DecodeError, RecursionError):
            raise Problem(HTTPStatus.BAD_REQUEST, "Problems parsing JSON") from None

    def paged(self, request: Request, items: Sequence[T], shape: Callable[[T], object]) -> Response:
        """Return one page of a list, with the ``Link`` header to the others. Shapes only what is on the page."""
        size, page = _page(request)
        last = max(1, -(-len(items) // size))
        address = request.url
        links = {"next": page + 1, "last": last} if page < last else {}
        links |= {"first": 1, "prev": page - 1} if page > 1 else {}
        link = ", ".join(f'<{address.include_query_params(page=at)}>; rel="{rel}"' for rel, at in links.items())
        body = msgspec.json.encode([shape(each) for each in items[(page - 1) * size : page * size]])
        return Response(body, media_type="application/json", headers={"link": link} if link else None)

    def page_of(self, request: Request) -> tuple[int, int]:
        """The range of the items that the page of a request has."""
        size, page = _page(request)
        return (page - 1) * size, page * size

    def cursored(self, request: Request, name: str, items: Sequence[object]) -> Response:
        """Return one page of an object with a list, and the ``Link`` header to the next one, by a cursor."""
        size = _number(request, "per_page", PAGE, MAX_PAGE)
        begin = _number(request, "after", 0, 1 << 31)
        following = request.url.include_query_params(after=begin + size)
        link = {"link": f'<{following}>; rel="next"'} if begin + size < len(items) else None
        body = msgspec.json.encode({name: items[begin : begin + size]})
        return Response(body, media_type="application/json", headers=link)


def _token(request: Request) -> bytes | None:
    """Return the token of a request; ``None`` if it has none."""
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    return text.strip().encode() if scheme else None


def _page(request: Request) -> tuple[int, int]:
    """The size and the number of a page, from 1."""
    return _number(request, "per_page", PAGE, MAX_PAGE), _number(request, "page", 1, 1 << 31)


def _number(request: Request, name: str, otherwise: int, most: int) -> int:
    text = request.query_params.get(name, "")
    return min(int(text), most) if re.fullmatch(r"[1-9][0-9]{0,9}", text) else otherwise
