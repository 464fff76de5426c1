"""The highest published version, by the first source that knows one."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from packaging.version import Version
from tests.support.listed_index import FakeIndex

from unmoor.advice import NextStep
from unmoor.errors import Denied, Unknown
from unmoor.ports.index import Holding
from unmoor.publish.latest import is_latest
from unmoor.versioning.tag_scheme import Naming

NOTHING = Holding(simple={}, json=None)
DOWN = Unknown("no answer", where="there", next_step=NextStep("try again"))


@dataclass(frozen=True)
class FakeForge:
    """A forge with the one method that is called."""

    tags: tuple[str, ...] | Exception = ()

    def released(self) -> tuple[str, ...]:
        """The tags, or why they cannot be read."""
        if isinstance(self.tags, Exception):
            raise self.tags
        return self.tags


def ask(
    version: str, index: FakeIndex | None, pages: FakeForge | None, *tags: str, moves: bool = True
) -> tuple[bool, list[str]]:
    """The result, and the warnings."""
    warned: list[str] = []
    answer = is_latest(
        Version(version),
        [Version(tag) for tag in tags],
        project="pkg",
        naming=Naming(),
        index=index,
        forge=pages,  # type: ignore[arg-type]  # no more of it is asked
        moves=moves,
        warn=warned.append,
    )
    return answer, warned


@pytest.mark.parametrize(
    ("version", "index", "forge", "tags", "is_highest"),
    [
        ("2.0", {"1.0": False}, (), ("2.0", "3.0"), True),  # 3.0 was given up: its tag holds nothing back
        ("1.1", {"1.0": False, "2.0": False}, (), ("1.1",), False),
        ("1.1", {"1.0": False, "2.0": True}, (), ("1.1", "2.0"), True),  # yanked
        ("1.1", {"2.0": True}, ("v2.0",), ("2.0",), True),  # all of them yanked is an answer, too
        ("1.1", {"1.0": False, "2.0rc1": False}, (), (), True),
        ("2.0", {"2.0": False}, (), ("2.0", "3.0"), False),  # its own, from a run before: as then
        ("1.1", {}, ("v2.0",), ("1.1",), False),
        ("2.0", {}, ("v1.0", "nightly"), ("2.0", "3.0"), True),
        ("2.0", {}, (), ("2.0", "3.0"), False),
        ("2.0", {}, (), ("2.0",), True),
        ("2.0rc1", {"1.0": False}, (), (), False),
        ("1.0.post1", {"1.0": False}, (), (), True),
    ],
)
def test_the_first_source_that_knows_decides(
    version: str, index: dict[str, bool], forge: tuple[str, ...], tags: tuple[str, ...], *, is_highest: bool
) -> None:
    """The versions on the index that are not yanked decide, else public releases, else tags."""
    assert ask(version, FakeIndex(NOTHING, others=index), FakeForge(forge), *tags) == (is_highest, [])


@pytest.mark.parametrize("trouble", [DOWN, Denied("not for you", next_step=NextStep("log in"))])
@pytest.mark.parametrize("at_forge", [False, True])
def test_unreadable_is_never_absent(trouble: Exception, *, at_forge: bool) -> None:
    """A run that moves tags stops; one that only reads warns, and the version does not count as the highest."""
    index, pages = (FakeIndex(NOTHING), FakeForge(trouble)) if at_forge else (FakeIndex(trouble), FakeForge())
    with pytest.raises(Unknown, match="cannot determine whether"):
        ask("1.0", index, pages)
    answer, warned = ask("1.0", index, pages, moves=False)
    assert (answer, len(warned)) == (False, 1)


def test_a_prerelease_reads_nothing() -> None:
    """A prerelease is never the highest final, so no surface is read."""
    assert ask("1.0rc1", FakeIndex(DOWN), FakeForge(DOWN)) == (False, [])


def test_without_ports_the_tags_decide() -> None:
    """Without an index and a forge the tags decide."""
    assert ask("1.0", None, None, "1.0", "2.0") == (False, [])
