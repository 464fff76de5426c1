"""The releases of a repository from one list, for a command that looks at many tags."""

from __future__ import annotations

from collections.abc import Mapping

from unmoor.adapters.forge import parse
from unmoor.adapters.forge.github import PER_PAGE, GitHubForge
from unmoor.adapters.github import Pace
from unmoor.adapters.http.session import BoundedSession
from unmoor.ports.clock import Clock
from unmoor.ports.forge import ForgeRelease, ForgeRepository
from unmoor.ports.world import ForgePlace
from unmoor.util.asked_once import AskedOnce
from unmoor.util.values import replace

_LARGE_PAGE = 2 * PER_PAGE


class ListedForge(GitHubForge):
    """Reads the list of releases once, and answers from it. Whatever else is asked goes to the forge, at most once.

    A release that changes meanwhile is seen as it was. So it is for commands that only read.
    """

    def __init__(self, place: ForgePlace, http: BoundedSession, clock: Clock, pace: Pace | None = None) -> None:
        super().__init__(place, http, clock, pace)
        self._once = AskedOnce()

    def every_release(self) -> tuple[ForgeRelease, ...]:
        """Every release of every tag, the oldest first; drafts only if the token may see them.

        Raises `Denied`, `Unknown`.
        """
        return self._once("releases", self._read_releases)

    def _read_releases(self) -> tuple[ForgeRelease, ...]:
        path = f"{self._root}/releases"
        where, public = self._api.where(path), self._reader[1]
        found = [
            parse.forge_release(raw, where=where, public=public)
            for raw in self._api.listed(path, "releases", size=_LARGE_PAGE)
        ]
        return tuple(sorted(map(_fetched_with_token, found), key=lambda each: each.id))

    def repository(self) -> ForgeRepository:
        """Read the repository once; see the port."""
        return self._once("repository", super().repository)

    def releases(self, tag: str) -> tuple[ForgeRelease, ...]:
        """Every release of the tag in the list, drafts included; see the port."""
        found = self._of(tag)
        if not found and not self._pushes():
            raise parse.hidden_drafts(tag, where=self.address, has_token=self.has_token())
        return found

    def public(self, tag: str) -> ForgeRelease | None:
        """The published release of the tag in the list; see the port."""
        return next((each for each in self._of(tag) if not each.draft), None)

    def _of(self, tag: str) -> tuple[ForgeRelease, ...]:
        return self._once("by tag", self._by_tag).get(tag, ())

    def _by_tag(self) -> Mapping[str, tuple[ForgeRelease, ...]]:
        found: dict[str, tuple[ForgeRelease, ...]] = {}
        for each in self.every_release():
            found[each.tag] = (*found.get(each.tag, ()), each)
        return found

    def released(self) -> tuple[str, ...]:
        """The tags of all public releases in the list; see the port."""
        return tuple(each.tag for each in self.every_release() if not each.draft)

    def latest(self) -> str | None:
        """The tag of the release that the forge marks as latest, read once; see the port."""
        return self._once("latest", super().latest)


def _fetched_with_token(forge_release: ForgeRelease) -> ForgeRelease:
    """The assets of a draft are not public, even in a public repository."""
    if not forge_release.draft:
        return forge_release
    return replace(forge_release, assets=tuple(replace(asset, public=False) for asset in forge_release.assets))
