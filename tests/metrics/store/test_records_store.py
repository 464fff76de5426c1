"""Records are added to what is there now, however often that changes meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from tests.support.metric_records import MOMENT
from tests.support.sample_values import FakeClock

from unmoor.errors import TryLater, Unknown
from unmoor.metrics.records import ReleasedRecord
from unmoor.metrics.store.lines import encode
from unmoor.metrics.store.records_store import RecordStore
from unmoor.ports.record_files import FilesState

PATH = "releases/2026-11.jsonl"


def release(number: int, tag: str = "v1") -> ReleasedRecord:
    """A release of some number."""
    return ReleasedRecord(id=number, tag=tag, at=MOMENT, prerelease=False)


@dataclass
class Contested:
    """Files in memory that another writer changes before each of the first ``races`` writes."""

    races: int
    files: dict[str, bytes] = field(default_factory=dict)
    where: str = "memory"
    others: int = 0

    def state(self) -> FilesState:
        """The files; the version is how often they changed."""
        return FilesState(version=str(self.others), ids={path: str(len(data)) for path, data in self.files.items()})

    def read(self, state: FilesState, path: str) -> bytes:
        """A file."""
        del state
        return self.files[path]

    def write(self, state: FilesState, files: Mapping[str, bytes], message: str) -> bool:
        """Let the other writer be faster, or write."""
        del message
        if self.others < self.races:
            self.files[PATH] = self.files.get(PATH, b"") + encode(release(100 + self.others))
            self.others += 1
        if state.version != str(self.others):
            return False
        self.files |= files
        return True


@pytest.mark.parametrize("races", [0, 1, 11])
def test_nothing_is_lost(races: int) -> None:
    """After some lost races all records are there, and each wait was longer, up to a limit."""
    files, clock = Contested(races), FakeClock()
    store = RecordStore(files=files, clock=clock, jitter=lambda: 0.5)
    assert store.append([release(1)], "").new == 1
    assert {each.id for each in store.read_kind(ReleasedRecord)} == {1, *range(100, 100 + races)}
    assert len(clock.slept) == races
    assert clock.slept == sorted(clock.slept)
    assert max(clock.slept, default=0) <= 5


def test_many_lost_races_are_an_error() -> None:
    """It ends, and says that it can be tried again."""
    files = Contested(99)
    with pytest.raises(TryLater, match=r"12 times") as caught:
        RecordStore(files=files, clock=FakeClock()).append([release(1)], "")
    assert caught.value.retryable
    assert release(1) not in RecordStore(files=files, clock=FakeClock()).read()


def test_a_record_that_could_not_be_read_is_not_written() -> None:
    """A record with an impossible text is an error before anything is written."""
    files = Contested(0)
    with pytest.raises(Unknown, match=r"Expected"):
        RecordStore(files=files, clock=FakeClock()).append([release(1), release(2, tag="v\x1b")], "")
    assert files.files == {}
