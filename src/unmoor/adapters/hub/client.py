"""A Space of a hub, behind the port `unmoor.ports.space_hub.SpaceHub`."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal, TypeVar
from urllib.parse import quote

from unmoor import advice
from unmoor.adapters.http.retry_after import Retries, second_look
from unmoor.adapters.http.urls import origin, resolve_link, without_query
from unmoor.adapters.hub.answers import (
    CommitAnswer,
    LogEvent,
    RefsAnswer,
    RuntimeAnswer,
    SpaceAnswer,
    TreeEntry,
    WhoAmI,
    converted,
    malformed,
    refusal,
)
from unmoor.adapters.hub.writes import HubWriter, load_client, require_client
from unmoor.errors import Denied, Unknown
from unmoor.ports.clock import Clock
from unmoor.ports.space_hub import HubCommit, HubFile, SpaceChange, SpaceInfo, SpaceRuntime
from unmoor.ports.world import SpacePlace
from unmoor.util.decode import decode_json
from unmoor.util.digests import is_commit, is_sha256
from unmoor.util.secret import Secret

if TYPE_CHECKING:
    from unmoor.adapters.http.session import BoundedSession, Response

W = TypeVar("W")
_READ = Retries(faults=(Unknown,), patience=90.0, waits=3)
# A page has 1,000 files or 50 commits.
_PAGES = 20
_PAGE_LIMIT = 20_000_000
_NEXT = re.compile(r'<([^<>]{1,2000})>; ?rel="next"')
# Seconds that a log may take, and its largest size: the hub sends its end only when the log has one.
_LOG_TIME, _LOG_LIMIT = 5.0, 2_000_000
_LOG_LINES = 200
_READS_ONLY = "read"
PUBLIC = "https://huggingface.co"
"""The hub that a world means if it names none."""


class HubSpace:
    """A Space of the hub at a place."""

    def __init__(self, place: SpacePlace, repo: str, http: BoundedSession, clock: Clock) -> None:
        self._place = place
        self._repo = repo
        self._http = http
        self._clock = clock
        # By commit, which never gets other files.
        self._trees: dict[str, Mapping[str, HubFile]] = {}

    @property
    def repo(self) -> str:
        """The Space, as ``owner/name``."""
        return self._repo

    @property
    def address(self) -> str:
        """Where users see it."""
        return f"{self._root}/spaces/{self._repo}"

    @property
    def _root(self) -> str:
        return (self._place.address or PUBLIC).rstrip("/")

    @property
    def _api(self) -> str:
        return f"{self._root}/api/spaces/{self._repo}"

    @cached_property
    def _writer(self) -> HubWriter:
        return HubWriter(root=self._root, repo=self._repo, token=self._token, http=self._http, clock=self._clock)

    @property
    def _token(self) -> Secret:
        return self._place.login.secret

    def user(self) -> str:
        """Who owns the token. Raises `Denied` if there is none, or if it only reads."""
        require_client()
        if not self._token:
            raise Denied(
                f"there is no token for the hub: {self._place.login.origin}",
                where=self._root,
                next_step=advice.SET_SPACE_TOKEN(),
            )
        # Loading it takes as long as several answers of the hub.
        threading.Thread(target=load_client, daemon=True).start()
        who = self._json(f"{self._root}/api/whoami-v2", WhoAmI, "a user")
        if who.auth.access_token is not None and who.auth.access_token.role == _READS_ONLY:
            raise Denied(
                "the token may only read, and a deployment writes",
                where=self._root,
                next_step=advice.SET_SPACE_TOKEN(),
            )
        return who.name

    def info(self) -> SpaceInfo:
        """The Space as it is now. Raises `Denied` if there is none."""
        found = self._json(self._api, SpaceAnswer, "a Space")
        if not is_commit(found.sha):
            raise malformed("a Space: its commit is no commit id", self._api)
        return SpaceInfo(head=found.sha, private=found.private, stage=found.runtime.stage if found.runtime else "")

    def tree(self, commit: str) -> Mapping[str, HubFile]:
        """Every file of a commit, by path. A commit is read once."""
        if commit not in self._trees:
            self._trees[commit] = self._read_tree(commit)
        return self._trees[commit]

    def _read_tree(self, commit: str) -> Mapping[str, HubFile]:
        url = f"{self._api}/tree/{quote(commit, safe='')}?recursive=true&limit=1000"
        entries = (entry for page in self._pages(url, list[TreeEntry], "a list of files") for entry in page)
        files = {}
        for entry in entries:
            if entry.type != "file":
                continue
            if not is_commit(entry.oid) or (entry.lfs is not None and not is_sha256(entry.lfs.oid)):
                raise malformed("a list of files: an id is no digest", self._api)
            size, sha256 = (entry.lfs.size, entry.lfs.oid) if entry.lfs else (entry.size, "")
            files[entry.path] = HubFile(path=entry.path, size=size, blob=entry.oid, sha256=sha256)
        return files

    def read(self, commit: str, path: str, *, size: int) -> bytes:
        """The bytes of a file, at most ``size``. Raises `Unknown` if it has more or is not there."""
        url = f"{self.address}/resolve/{quote(commit, safe='')}/{quote(path)}"
        # An empty file still needs room for an answer that is wrong.
        return second_look(lambda: self._get(url, limit=max(size, 1))).body

    def commits(self) -> tuple[HubCommit, ...]:
        """The last commits of the branch, the newest first; at most a thousand."""
        pages = self._pages(f"{self._api}/commits/main", list[CommitAnswer], "a list of commits", whole=False)
        return tuple(HubCommit(id=each.id, title=each.title) for page in pages for each in page)

    def tags(self) -> Mapping[str, str]:
        """The commit of every tag."""
        found = self._json(f"{self._api}/refs", RefsAnswer, "a list of tags")
        return {each.name: each.target for each in found.tags}

    def tag(self, name: str, commit: str) -> None:
        """Make a tag. Raises `Conflict` if there is one of that name, `Unknown` if the answer is lost."""
        self._writer.tag(name, commit)

    def commit(self, change: SpaceChange, parent: str) -> str:
        """Commit onto ``parent``, and return the id of the commit.

        Raises `Conflict` if the branch has another commit by now, `Rejected` if the hub refuses a file, `Unknown` if
        the answer is lost.
        """
        return self._writer.commit(change, parent)

    def runtime(self) -> SpaceRuntime:
        """What runs now."""
        found = self._json(f"{self._api}/runtime", RuntimeAnswer, "a runtime")
        return SpaceRuntime(stage=found.stage, commit=found.sha or "", error=found.error_message or "")

    def log(self, kind: Literal["build", "run"]) -> Sequence[str]:
        """The last lines that the build or the application printed. Empty if there are none."""
        url = f"{self._api}/logs/{kind}"
        body = self._http.begin_of(
            url,
            secret_headers=self._authorization,
            headers={"Accept": "text/event-stream"},
            limit=_LOG_LIMIT,
            deadline=_LOG_TIME,
        )
        lines = [line for event in _events(body.decode(errors="replace")) for line in event.data.splitlines()]
        return lines[-_LOG_LINES:]

    @property
    def _authorization(self) -> Mapping[str, Secret]:
        return {"Authorization": Secret(f"Bearer {self._token.reveal()}")} if self._token else {}

    def _get(self, url: str, *, limit: int = _PAGE_LIMIT) -> Response:
        """GET an address. Raises `Denied`, `Unknown`."""

        def once() -> Response:
            answer = self._http.get(url, secret_headers=self._authorization, limit=limit)
            if answer.status != HTTPStatus.OK:
                raise refusal(answer, without_query(url), writes=False)
            return answer

        return _READ.call(once, self._clock)

    def _json(self, url: str, kind: type[W], what: str) -> W:
        return second_look(lambda: converted(self._get(url).body, kind, what, without_query(url)))

    def _pages(self, url: str, kind: type[W], what: str, *, whole: bool = True) -> Iterator[W]:
        """Read a list page by page. Raises `Unknown` if it does not end and the ``whole`` list is needed."""
        first = url
        for _ in range(_PAGES):
            answer = second_look(lambda at=url: self._page(at, kind, what))  # type: ignore[misc]
            yield answer[0]
            link = _NEXT.search(answer[1])
            if link is None:
                return
            url = resolve_link(url, link[1])
            if origin(url) != origin(first):
                raise malformed(f"{what}: its next page is on another server", without_query(first))
        if whole:
            raise Unknown(
                f"{what} did not end after {_PAGES} pages",
                where=without_query(first),
                next_step=advice.SHORTEN_LIST(what=what),
            )

    def _page(self, url: str, kind: type[W], what: str) -> tuple[W, str]:
        answer = self._get(url)
        return converted(answer.body, kind, what, without_query(url)), answer.headers.get("Link", "")[:5000]


def _events(text: str) -> Iterator[LogEvent]:
    """The events of a stream (``data: {…}`` lines). What is no such event is left out, such as a cut last line."""
    for line in text.splitlines():
        if line.startswith("data:"):
            try:
                yield decode_json(line.removeprefix("data:"), LogEvent)
            except ValueError:
                continue
