"""The artifacts and caches of one GitHub repository, through its REST API."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import msgspec

from unmoor import advice
from unmoor.adapters.github import GitHubClient, Pace
from unmoor.adapters.github.answers import NotFound, converted, malformed
from unmoor.errors import Unknown
from unmoor.ports.clock import Clock
from unmoor.ports.leftovers import Cache, RunArtifact
from unmoor.ports.world import ForgePlace
from unmoor.util.announce import announce

if TYPE_CHECKING:
    from unmoor.adapters.http.session import BoundedSession

_PER_PAGE: Final = 100
_PAGES: Final = 100
"""Pages of a list that are looked at: so many are deleted over several runs."""
_MOST_RUNS: Final = 1000
"""How many runs GitHub shows for a query."""
_UNFINISHED: Final = ("queued", "in_progress", "waiting", "pending", "requested")


class _ArtifactRun(msgspec.Struct, frozen=True, kw_only=True):
    id: int | None = None
    head_branch: str | None = None


class _Artifact(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    name: str
    size_in_bytes: int
    expired: bool
    created_at: datetime
    workflow_run: _ArtifactRun | None = None


class _Cache(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    key: str
    version: str
    ref: str
    size_in_bytes: int
    last_accessed_at: datetime


class _Run(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    status: str


class _Ref(msgspec.Struct, frozen=True, kw_only=True):
    ref: str


class _Pull(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    state: str


class GitHubLeftovers:
    """Implements `unmoor.ports.leftovers.Leftovers`."""

    def __init__(self, place: ForgePlace, http: BoundedSession, clock: Clock) -> None:
        token = place.login.secret
        rights = advice.ALLOW_CLEANING()
        self._api = GitHubClient(place, http, clock, token=token or None, pace=Pace(place.api, clock), rights=rights)
        self._root = f"/repos/{quote(place.repository)}"
        self._actions = f"{self._root}/actions"

    def artifacts(self) -> tuple[RunArtifact, ...]:
        """Every artifact, newest first; see the port."""
        path = f"{self._actions}/artifacts"
        found = {}
        for raw in self._oldest(path, "artifacts"):
            each = converted(raw, _Artifact, "an artifact", self._api.where(path))
            run = each.workflow_run or _ArtifactRun()
            found[each.id] = RunArtifact(
                id=each.id,
                name=each.name,
                size=each.size_in_bytes,
                created=self._dated(each.created_at, path),
                run=run.id,
                ref=run.head_branch,
                expired=each.expired,
            )
        return tuple(found.values())

    def caches(self) -> tuple[Cache, ...]:
        """Every cache; see the port."""
        path = f"{self._actions}/caches"
        found = {}
        for raw in self._oldest(path, "actions_caches"):
            each = converted(raw, _Cache, "a cache", self._api.where(path))
            found[each.id] = Cache(
                id=each.id,
                key=each.key,
                version=each.version,
                ref=each.ref,
                size=each.size_in_bytes,
                used=self._dated(each.last_accessed_at, path),
            )
        return tuple(found.values())

    def unfinished(self) -> frozenset[int]:
        """The runs that have not ended, by a query for each status; see the port."""
        path = f"{self._actions}/runs"
        found: set[int] = set()
        for status in _UNFINISHED:
            query, name = f"{path}?status={status}", "workflow_runs"
            total, first = self._page(query, name, 1)
            if total > _MOST_RUNS:
                raise self._incomplete(query, name, total, _MOST_RUNS)
            items = self._items(query, name, total, first)
            found.update(converted(raw, _Run, "a run", self._api.where(path)).id for raw in items)
        return frozenset(found)

    def is_finished(self, run: int) -> bool | None:
        """Whether a run has ended, as of now; see the port."""
        path = f"{self._actions}/runs/{run}"
        try:
            raw = self._api.read(path)
        except NotFound:
            return None
        return converted(raw, _Run, "a run", self._api.where(path)).status == "completed"

    def tags(self) -> frozenset[str]:
        """The names of all tags."""
        return self._refs("tags")

    def branches(self) -> frozenset[str]:
        """The names of all branches."""
        return self._refs("heads")

    def is_public(self, tag: str) -> bool:
        """Whether a tag has a published release: drafts have no such address."""
        try:
            self._api.read(f"{self._root}/releases/tags/{quote(tag, safe='')}")
        except NotFound:
            return False
        return True

    def open_pull_requests(self) -> frozenset[int]:
        """The numbers of the pull requests that are open."""
        path = f"{self._root}/pulls"
        pulls = self._api.listed(f"{path}?state=open", "pull requests", size=_PER_PAGE)
        return frozenset(converted(raw, _Pull, "a pull request", self._api.where(path)).number for raw in pulls)

    def delete_artifact(self, artifact: RunArtifact) -> bool:
        """Delete an artifact; see the port."""
        return self._api.delete(f"{self._actions}/artifacts/{artifact.id}")

    def delete_cache(self, cache: Cache) -> bool:
        """Delete a cache by its number: a key may stand for several; see the port."""
        return self._api.delete(f"{self._actions}/caches/{cache.id}")

    def _refs(self, kind: str) -> frozenset[str]:
        path, prefix = f"{self._root}/git/matching-refs/{kind}", f"refs/{kind}/"
        listed = self._api.listed(path, "refs", size=_PER_PAGE)
        names = (converted(raw, _Ref, "a ref", self._api.where(path)).ref for raw in listed)
        return frozenset(name.removeprefix(prefix) for name in names if name.startswith(prefix))

    def _oldest(self, path: str, name: str) -> Iterator[Any]:
        """Yield the entries of a list, the newest first; of a very long one the oldest, which can go first."""
        total, first = self._page(path, name, 1)
        begin = max(1, -(-total // _PER_PAGE) - _PAGES + 1)
        if begin > 1:
            announce(
                f"{total:,} {_words(name)}: only the oldest are looked at, and the same command goes on with others"
            )
        yield from self._items(path, name, total, first if begin == 1 else [], begin=begin)

    def _items(self, path: str, name: str, total: int, first: list[Any], *, begin: int = 1) -> Iterator[Any]:
        """Yield what a list has from a page on, of which ``first`` may be read. Raises `Unknown` if it ends early."""
        seen, number, items = (begin - 1) * _PER_PAGE, begin, first
        while seen < total:
            if not items:
                total, items = self._page(path, name, number)
            if not items and seen < total:
                raise self._incomplete(path, name, total, seen)
            yield from items
            seen, number, items = seen + len(items), number + 1, []

    def _page(self, path: str, name: str, number: int) -> tuple[int, list[Any]]:
        """One page of a list, and how many entries GitHub says that the whole has."""
        where = self._api.where(path)
        query = "&" if "?" in path else "?"
        raw = self._api.read(f"{path}{query}per_page={_PER_PAGE}&page={number}")
        page = converted(raw, dict[str, Any], f"a list of {_words(name)}", where)
        items = converted(page.get(name), list[Any], f"a list of {_words(name)}", where)
        return converted(page.get("total_count"), int, "a count", where), items

    def _incomplete(self, path: str, name: str, total: int, seen: int) -> Unknown:
        what = _words(name)
        return Unknown(
            f"the list of {what} has {total} entries, but ends after {seen}",
            where=self._api.where(path),
            next_step=advice.SHORTEN_LIST(what=what),
        )

    def _dated(self, moment: datetime, path: str) -> datetime:
        if moment.tzinfo is None:
            raise malformed("a time with a zone", self._api.where(path))
        return moment


def _words(name: str) -> str:
    return name.replace("_", " ")
