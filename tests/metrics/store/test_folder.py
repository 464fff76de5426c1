"""A store in a folder: written by one process at a time, and nothing of another writer is lost."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from tests.support.metric_records import EXAMPLES, MOMENT
from tests.support.sample_values import FakeClock

from unmoor.adapters.clock import MonotonicClock
from unmoor.adapters.process.supervisor import Processes
from unmoor.errors import Refused, TryLater
from unmoor.filesystem.locks import exclusive_lock
from unmoor.metrics.records import JobRecord, ReleasedRecord
from unmoor.metrics.store.folder import LOCK, FolderFiles
from unmoor.metrics.store.records_store import RecordStore


def store(folder: Path) -> RecordStore:
    """A store that does not wait."""
    return RecordStore(files=FolderFiles(folder=folder), clock=FakeClock())


def release(number: int) -> ReleasedRecord:
    """A release of some number."""
    return ReleasedRecord(id=number, tag=f"v{number}", at=MOMENT, prerelease=False)


def test_records_are_kept(tmp_path: Path) -> None:
    """What is added is read again, by another store object; what is added twice is there once."""
    folder = tmp_path / "metrics"
    assert store(folder).read() == ()
    added = store(folder).append(EXAMPLES, "")
    assert (added.new, len(added.files)) == (len(EXAMPLES), len(EXAMPLES))
    assert set(store(folder).read()) == set(EXAMPLES)
    assert store(folder).append(EXAMPLES, "").same == len(EXAMPLES)
    assert store(folder).read_kind(JobRecord) == (EXAMPLES[1],)
    assert store(folder).read_kind(JobRecord, since="2026-12") == ()


def test_two_writers_lose_nothing(tmp_path: Path) -> None:
    """Of two that write at once, each finds its own records and those of the other one afterwards."""
    folder = tmp_path / "metrics"
    failed: list[BaseException] = []

    def write(numbers: range) -> None:
        try:
            with Processes() as processes:
                mine = RecordStore(files=FolderFiles(folder=folder), clock=MonotonicClock(processes=processes))
                for number in numbers:
                    mine.append([release(number)], "")
        except BaseException as error:  # noqa: BLE001 - looked at below
            failed.append(error)

    threads = [threading.Thread(target=write, args=(range(first, 40, 2),)) for first in (0, 1)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert not failed
    assert {each.id for each in store(folder).read_kind(ReleasedRecord)} == set(range(40))


def test_a_store_that_somebody_holds_is_not_written(tmp_path: Path) -> None:
    """After some tries the command says so, and nothing has changed."""
    with exclusive_lock(tmp_path, name=LOCK), pytest.raises(TryLater, match=r"12 times"):
        store(tmp_path).append([release(1)], "")
    assert os.listdir(tmp_path) == [LOCK]  # noqa: PTH208 - names only


def test_a_broken_line_keeps_everything_as_it_is(tmp_path: Path) -> None:
    """Nothing is added to a store with half a line, not even to another file of it in the same call."""
    half = tmp_path / "releases" / "2026-11.jsonl"
    half.parent.mkdir()
    half.write_bytes(b'{"kind":"release","id":1,"ta')
    with pytest.raises(Refused, match=r"releases/2026-11\.jsonl:1"):
        store(tmp_path).append(EXAMPLES, "")
    with pytest.raises(Refused, match=r"releases/2026-11\.jsonl:1"):
        store(tmp_path).read()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["releases"]


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    """A folder of that name, or a file in the place of a folder, is named; hidden files are left alone."""
    (tmp_path / "runs" / "2026-11.jsonl").mkdir(parents=True)
    with pytest.raises(Refused, match=r"runs/2026-11\.jsonl is no file"):
        store(tmp_path).read()
    (tmp_path / "runs" / "2026-11.jsonl").rename(tmp_path / "runs" / ".hidden")
    assert store(tmp_path).read() == ()
    (tmp_path / "jobs").write_text("")
    with pytest.raises(Refused, match=r"jobs is no folder"):
        store(tmp_path).read()
