"""What of a Space differs from the files that belong into it, and what takes a commit back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from unmoor.deploy.space.identity import is_same
from unmoor.deploy.space.patterns import matches
from unmoor.ports.space_hub import Addition, HubFile, Restoration, SpaceChange
from unmoor.products import SpaceFile


class SpaceDifference(msgspec.Struct, frozen=True, kw_only=True):
    """The files to write, the paths to delete, and how many files are already there."""

    changed: tuple[SpaceFile, ...]
    deleted: tuple[str, ...]
    same: int

    @property
    def is_none(self) -> bool:
        """Whether the Space holds every file, and none that is to be deleted."""
        return not self.changed and not self.deleted

    def change(self, title: str) -> SpaceChange:
        """The commit that makes the Space the same."""
        additions = tuple(Addition(path=each.path, source=each.source) for each in self.changed)
        return SpaceChange(title=title, additions=additions, deletions=self.deleted)


def compare(
    files: Sequence[SpaceFile], there: Mapping[str, HubFile], *, prune: Sequence[str] = (), kept: Sequence[str] = ()
) -> SpaceDifference:
    """Compare the files with those of a commit.

    Only paths that ``prune`` matches are deleted, and no path in ``kept``: a file that was left out stays as it is.
    """
    changed = tuple(each for each in files if not is_same(each, there.get(each.path)))
    wanted = {each.path for each in files}.union(kept)
    deleted = tuple(sorted(path for path in there if path not in wanted and matches(prune, path)))
    return SpaceDifference(changed=changed, deleted=deleted, same=len(files) - len(changed))


class TakeBack(msgspec.Struct, frozen=True, kw_only=True):
    """How to take a commit back: the change, and paths that somebody has changed since, which are in its way."""

    change: SpaceChange
    in_the_way: tuple[str, ...]


def take_back(
    before: Mapping[str, HubFile], after: Mapping[str, HubFile], now: Mapping[str, HubFile], *, commit: str, title: str
) -> TakeBack:
    """Take back what a commit made of the tree ``before``, in the tree ``now``. ``commit`` is that of ``before``.

    Only the paths that it changed are touched. A path that is as before already needs nothing.
    """
    touched = sorted(path for path in before.keys() | after.keys() if not same_bytes(path, before, after))
    open_ones = [path for path in touched if not same_bytes(path, before, now)]
    change = SpaceChange(
        title=title,
        restorations=tuple(Restoration(path=path, commit=commit) for path in open_ones if path in before),
        deletions=tuple(path for path in open_ones if path not in before),
    )
    return TakeBack(change=change, in_the_way=tuple(path for path in open_ones if not same_bytes(path, after, now)))


def same_bytes(path: str, first: Mapping[str, HubFile], second: Mapping[str, HubFile]) -> bool:
    """Whether two trees have the same bytes at a path, or both none. Two pointers of LFS to one file may differ."""
    mine, other = (tree.get(path) for tree in (first, second))
    if mine is None or other is None:
        return mine is other
    return (mine.size, mine.sha256 or mine.blob) == (other.size, other.sha256 or other.blob)
