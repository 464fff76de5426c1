"""What runs of workflows left on a forge, artifacts and caches, and what says whether anybody still needs it."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import msgspec


class RunArtifact(msgspec.Struct, frozen=True, kw_only=True):
    """Files that a run uploaded. ``run`` and ``ref``, the branch or tag of the run, are ``None`` if nobody knows them.

    ``expired``: the forge has deleted the files itself, and still lists the name.
    """

    id: int
    name: str
    size: int
    created: datetime
    run: int | None
    ref: str | None
    expired: bool = False


class Cache(msgspec.Struct, frozen=True, kw_only=True):
    """Files that a later run may restore by their ``key``. ``version`` stands for what is in it and how it is packed.

    ``ref`` is whole, as in ``refs/heads/main``. ``used`` is when a run restored it last.
    """

    id: int
    key: str
    version: str
    ref: str
    size: int
    used: datetime


class Leftovers(Protocol):
    """The artifacts and caches of one repository. Everything raises `Denied`, `Rejected`, `Unknown`."""

    def artifacts(self) -> tuple[RunArtifact, ...]:
        """Every artifact, newest first; if there are very many, only the oldest, which is announced."""

    def caches(self) -> tuple[Cache, ...]:
        """Every cache, in the same way."""

    def unfinished(self) -> frozenset[int]:
        """The runs that have not ended: they run, or wait for a machine or for a person."""

    def is_finished(self, run: int) -> bool | None:
        """Whether a run has ended, as of now; ``None`` if there is no such run."""

    def tags(self) -> frozenset[str]:
        """The names of all tags."""

    def is_public(self, tag: str) -> bool:
        """Whether a tag has a release that everybody can see."""

    def branches(self) -> frozenset[str]:
        """The names of all branches."""

    def open_pull_requests(self) -> frozenset[int]:
        """The numbers of the pull requests that are open."""

    def delete_artifact(self, artifact: RunArtifact) -> bool:
        """Delete an artifact. False: it was gone already."""

    def delete_cache(self, cache: Cache) -> bool:
        """Delete a cache. False: it was gone already."""
