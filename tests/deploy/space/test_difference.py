"""What differs between files and a tree, and what takes a commit back, by their bytes alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from unmoor.deploy.space.difference import compare, take_back
from unmoor.ports.space_hub import HubFile
from unmoor.products import SpaceFile

FILE = SpaceFile(path="a", size=3, blob="b" * 40, sha256="c" * 64, source=Path("x"))


def tree(**files: str) -> dict[str, HubFile]:
    """A tree of files of one byte, each with the beginning of its blob."""
    return {path: HubFile(path=path, size=1, blob=blob * 40) for path, blob in files.items()}


@pytest.mark.parametrize(
    ("there", "is_same"),
    [
        (HubFile(path="a", size=3, blob="b" * 40), True),
        (HubFile(path="a", size=3, blob="0" * 40), False),
        (HubFile(path="a", size=4, blob="b" * 40), False),
        (HubFile(path="a", size=3, blob="0" * 40, sha256="c" * 64), True),
        (HubFile(path="a", size=3, blob="b" * 40, sha256="0" * 64), False),
    ],
    ids=["blob", "other-blob", "size", "lfs", "other-lfs"],
)
def test_file_is_compared_by_its_ids(there: HubFile, *, is_same: bool) -> None:
    """Git's id decides for a plain file, the sha256 for one in LFS, whose blob is a pointer."""
    assert (compare([FILE], {"a": there}).changed == ()) is is_same


def test_only_listed_files_are_deleted() -> None:
    """A file that no pattern of ``prune`` matches stays, as does one that was left out or is deployed."""
    there = tree(a="0", old="1", kept="2", other="3")
    found = compare([FILE], there, prune=("a", "old", "kept"), kept=("kept",))
    assert (found.changed, found.deleted, found.same) == ((FILE,), ("old",), 0)


@pytest.mark.parametrize(
    ("now", "restored", "deleted", "in_the_way"),
    [
        (tree(a="2", new="5", same="3", theirs="9"), ["a", "gone"], ("new",), ()),
        (tree(a="1", gone="4", same="3"), [], (), ()),
        (tree(a="7", gone="4", same="3"), ["a"], (), ("a",)),
        (tree(gone="4", same="3"), ["a"], (), ("a",)),
    ],
    ids=["ours", "done", "changed", "deleted"],
)
def test_commit_is_taken_back(
    now: dict[str, HubFile], restored: list[str], deleted: tuple[str, ...], in_the_way: tuple[str, ...]
) -> None:
    """Only what the commit changed is restored, nothing that is as before, and what others changed is in the way."""
    before, after = tree(a="1", gone="4", same="3"), tree(a="2", new="5", same="3")
    plan = take_back(before, after, now, commit="f" * 40, title="t")
    assert [each.path for each in plan.change.restorations] == restored
    assert {each.commit for each in plan.change.restorations} <= {"f" * 40}
    assert (plan.change.deletions, plan.in_the_way) == (deleted, in_the_way)
