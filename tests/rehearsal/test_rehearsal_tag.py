"""What a rehearsal releases if another tool built the files already: their version decides."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from packaging.version import Version

from unmoor.errors import Refused
from unmoor.rehearsal.rehearsal_tag import BuiltFiles, Chooser, RehearsalTag

HEAD, OLDER = "a" * 40, "b" * 40
SCM = "[project]\nname = 'p'\ndynamic = ['version']\n[tool.setuptools_scm]\n"


def static(version: str) -> str:
    """A pyproject.toml with a version on its third line."""
    return f"[project]\nname = 'p'\nversion = '{version}'\n"


@dataclass(frozen=True)
class Checkout:
    """What a chooser reads of git: one file at HEAD and one at an older commit, and the tags by commit."""

    head: str
    older: str = static("1.1")
    named: dict[str, str] = field(default_factory=dict)

    def tags(self) -> dict[str, str]:
        """The tags."""
        return self.named

    def read(self, commit: str, name: str) -> bytes | None:
        """The file at a commit."""
        return {HEAD: self.head, OLDER: self.older}[commit].encode() if name == "pyproject.toml" else None


def choose(checkout: Checkout, version: str, tag: str | None = None) -> RehearsalTag:
    """Choose for files of a version."""
    git: Any = checkout
    built = BuiltFiles(version=Version(version), folder="wheelhouse")
    return Chooser(git=git, head=HEAD, kinds=tuple).choose(tag, built)


@pytest.mark.parametrize(
    ("checkout", "version", "tag", "made", "words"),
    [
        (Checkout(static("1.2")), "1.2", None, ("v1.2", HEAD), "wheelhouse holds files of version 1.2: rehearsing 1.2"),
        (Checkout(static("1.2.0")), "1.2", None, ("v1.2", HEAD), "rehearsing 1.2"),
        (Checkout(SCM), "1.2", None, ("v1.2", HEAD), "rehearsing 1.2"),
        (Checkout(SCM, named={"0.9": OLDER}), "1.2", None, ("1.2", HEAD), "makes the tag 1.2 in its own clone"),
        (Checkout(SCM, named={"v1.2": HEAD, "v1.1": OLDER}), "1.2", None, ("v1.2", HEAD), "rehearsing the tag v1.2"),
        # Built from an older commit, whose tag is there: that commit is rehearsed.
        (Checkout(static("1.2"), named={"v1.1": OLDER}), "1.1", None, ("v1.1", OLDER), "rehearsing the tag v1.1"),
        (Checkout(static("1.2"), named={"v1": OLDER}), "1.2", None, ("v1.2", HEAD), "rehearsing 1.2"),
        # A tag that names the files' version is the user's word.
        (Checkout(static("1.2")), "1.3", "v1.3", ("v1.3", HEAD), "there is no tag v1.3 yet"),
        (Checkout(static("1.2")), "1.2", "v1.2.0", ("v1.2.0", HEAD), "there is no tag v1.2.0 yet"),
    ],
)
def test_files_of_a_release(
    checkout: Checkout, version: str, tag: str | None, made: tuple[str, str], words: str
) -> None:
    """The tag of the files' version is rehearsed, at its commit; or one is made on HEAD, if the version fits HEAD."""
    chosen = choose(checkout, version, tag)
    assert (chosen.tag, chosen.commit) == made
    assert words in "\n".join(chosen.messages)


@pytest.mark.parametrize(
    ("checkout", "version", "tag", "words", "step"),
    [
        (SCM, "1.2.dev3+g123abc", None, "1.2.dev3+g123abc is a local version", "git tag v1.2"),
        (SCM, "1.2+d20260101", None, "is a local version (+d20260101), which public indexes refuse", "git tag v1.2"),
        (SCM, "1.2.dev3+g123abc", "v1.2", "is a local version", "git tag v1.2"),
        (static("3.1.0.dev"), "3.1.0.dev0", None, "3.1.0.dev0 is a development version", "the version 3.1.0 in the"),
        (static("1.2"), "1.3", "v1.2", "of version 1.3, but the tag v1.2 names 1.2", "build them at v1.2; or leave"),
        (static("1.2"), "1.3", None, "of version 1.3, but pyproject.toml, line 3 says 1.2", "name the tag: v1.3"),
    ],
)
def test_files_of_no_release(checkout: str, version: str, tag: str | None, words: str, step: str) -> None:
    """Files that can be of no release here are one message, before anything is cloned or started."""
    with pytest.raises(Refused) as caught:
        choose(Checkout(checkout), version, tag)
    assert words in caught.value.what
    assert step in caught.value.next_step
    assert caught.value.where
