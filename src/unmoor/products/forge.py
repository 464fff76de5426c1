"""The release on the forge: first a draft, then public."""

from __future__ import annotations

import msgspec

from unmoor.util.text import clean, count_of


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """One asset of a release on the forge."""

    name: str
    sha256: str
    size: int


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """The release object of the tag on the forge with all its assets, still a draft or already ``public``."""

    id: int
    tag: str
    url: str
    assets: tuple[Asset, ...]
    public: bool = False

    @property
    def summary(self) -> str:
        """The number of assets and the URL, in one line."""
        return f"{count_of(len(self.assets), 'asset')} at {clean(self.url)}"


class PublishedRelease(msgspec.Struct, frozen=True, kw_only=True):
    """The published release on the forge."""

    url: str
    tag: str
    prerelease: bool
    latest: bool

    @property
    def summary(self) -> str:
        """The URL and the mark (prerelease, latest or not latest), in one line."""
        standing = "prerelease" if self.prerelease else "latest" if self.latest else "not latest"
        return f"{clean(self.url)} ({standing})"
