"""Read what is new of a forge's runs, jobs, releases and updates, and go on where the last fetch stopped.

The newest page of runs shows whether anything happened. Then come the spans of time that were never read completely,
the newest first, and, if anything was new, the last 30 days again: a run that is started again keeps its date. Last are
the runs that were not completed last time and were not in any list. A query shows 1,000 runs at most, so a span with
more is halved.

Every run takes one request for the jobs of all its attempts. Whatever ends a fetch, what it has read completely is
kept.

This module is long because it is one walk, whose steps share what is known so far.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import msgspec

from unmoor.metrics.history.facts import is_completed, job_records, release_record, run_record, update_record
from unmoor.metrics.history.spans import SECOND, TimeSpan, halves, merge, missing
from unmoor.metrics.records import FetchedRecord, Record, ReleasedRecord, RunRecord, UpdateRecord
from unmoor.ports.run_history import CEILING, EXACT, PAGE, OutOfRequests, PastRun, RunHistory, RunPage
from unmoor.util.concurrency import run_parallel

RERUNS: Final = timedelta(days=30)
"""How long a run can be started again."""
LONGEST_RUN: Final = timedelta(days=70)
"""How long a run may be unfinished: started again after 30 days, it may wait for an approval for 35."""
_SPANS: Final = 100
_UNFINISHED: Final = 700
_TRIES: Final = 3
_FEW: Final = 10
_BATCH: Final = 5000  # on a branch, each is a commit


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What a store already has."""

    runs: frozenset[tuple[int, int]] = frozenset()
    releases: Mapping[int, ReleasedRecord] = msgspec.field(default_factory=dict)
    updates: Mapping[int, UpdateRecord] = msgspec.field(default_factory=dict)
    fetched: FetchedRecord | None = None


class Remaining(msgspec.Struct, frozen=True, kw_only=True):
    """What a fetch had no requests left for.

    ``runs`` is how many, at least that many unless it is ``exact``, and ``until`` when the newest of them was created.
    ``reruns`` says that only runs that were started again may be missing.
    """

    runs: int = 0
    exact: bool = False
    until: datetime | None = None
    reruns: bool = False


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """What a fetch read and kept. ``gone`` are runs that were deleted, ``unreachable`` those that no query shows."""

    runs: int = 0
    jobs: int = 0
    releases: int = 0
    updates: int = 0
    unfinished: int = 0
    gone: int = 0
    unreachable: int = 0
    requests: int = 0
    left: Remaining | None = None


def known_of(records: Iterable[Record]) -> Known:
    """Return what records of a store say is known."""
    runs: set[tuple[int, int]] = set()
    releases: dict[int, ReleasedRecord] = {}
    updates: dict[int, UpdateRecord] = {}
    fetched: FetchedRecord | None = None
    for record in records:
        match record:
            case RunRecord():
                runs.add((record.id, record.attempt))
            case ReleasedRecord():
                releases[record.id] = record
            case UpdateRecord():
                updates[record.number] = record
            case FetchedRecord():
                fetched = record
            case _:
                pass
    return Known(runs=frozenset(runs), releases=releases, updates=updates, fetched=fetched)


@dataclass(kw_only=True)
class Fetching:
    """One fetch. ``save`` keeps records, all of them or none; ``since`` is the oldest moment to read.

    ``width`` is how many requests are sent at the same time.
    """

    history: RunHistory
    known: Known
    save: Callable[[Sequence[Record]], None]
    now: datetime
    since: datetime
    width: int = 8
    _kept: list[Record] = field(default_factory=list)
    _count: dict[type[Record], int] = field(default_factory=dict)
    _covered: tuple[TimeSpan, ...] = ()
    _listed: list[TimeSpan] = field(default_factory=list)
    _unfinished: set[int] = field(default_factory=set)
    _seen: set[int] = field(default_factory=set)
    _stored: set[int] = field(default_factory=set)
    _updates_until: datetime | None = None
    _is_news: bool = False
    _is_longer: bool = False
    _gone: int = 0
    _unreachable: int = 0
    _total: int = 0
    _passed: int = 0
    _has_failed: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self) -> Fetched:
        """Read and keep what is new. Raises the first failure, after what was read before it is kept."""
        before = self.known.fetched
        if before is not None:
            self._covered = merge(TimeSpan(*each) for each in before.covered)
            self._unfinished = set(before.unfinished)
            self._updates_until = before.updates_until
        self.now, self.since = (each.replace(microsecond=0) for each in (self.now, self.since))
        whole: TimeSpan | None = None
        stopped = False
        try:
            self._releases()
            self._updates()
            newest = self.history.runs(1)
            if newest.runs:
                top = max(each.created for each in newest.runs)
                # More runs may come in the second of the newest one.
                whole = TimeSpan(self.since, top - SECOND)
                self._runs(newest, whole)
        except OutOfRequests:
            stopped = True
        finally:
            self._flush()
        return self._result(whole, stopped=stopped)

    # Releases and updates

    def _releases(self) -> None:
        """Read the first page of releases, and all of them if there is a new one. They are kept together."""
        new: list[Record] = []
        number = 1
        while True:
            page, more = self.history.releases(number)
            records = [record for each in page if (record := release_record(each)) != self.known.releases.get(each.id)]
            new += records
            if not more or not records:
                break
            number += 1
        self._keep(new)

    def _updates(self) -> None:
        """Read pull requests until one that did not change since the last fetch."""
        oldest = max(self.since, self._updates_until or self.since)
        newest: datetime | None = None
        new: list[Record] = []
        number = 1
        while True:
            page, more = self.history.pulls(number)
            records = (update_record(each) for each in page)
            new += [each for each in records if each is not None and each != self.known.updates.get(each.number)]
            newest = newest or max((each.updated for each in page), default=None)
            if not more or any(each.updated < oldest for each in page):
                break
            number += 1
        self._keep(new)
        self._updates_until = newest or self._updates_until

    # Runs

    def _runs(self, newest: RunPage, whole: TimeSpan) -> None:
        self._is_news = any(self._is_new(each) for each in newest.runs)
        self._total = newest.total if self.known.fetched is None else EXACT
        self._handle(newest.runs)
        bottom = min(each.created for each in newest.runs)
        is_all = newest.total <= len(newest.runs)
        self._cover(TimeSpan(whole.since if is_all else bottom + SECOND, whole.until))
        for gap in missing(whole, self._covered):
            self._read(gap)
        if self._is_news or len(self._unfinished - self._seen) > _FEW:
            for part in missing(TimeSpan(max(self.since, self.now - RERUNS), whole.until), self._listed):
                self._read(part)
        self._look_again()

    def _is_new(self, run: PastRun) -> bool:
        if is_completed(run):
            return (run.id, run.attempt) not in self.known.runs
        return run.id not in self._unfinished

    def _look_again(self) -> None:
        """Read the runs that were not completed last time and that no list showed."""
        found: list[PastRun] = []
        for number in sorted(self._unfinished - self._seen, reverse=True):
            run = self.history.run(number)
            if run is None or run.created < self.now - LONGEST_RUN:
                self._unfinished.discard(number)
            if run is not None:
                found.append(run)
        self._handle(found)

    def _read(self, whole: TimeSpan) -> None:
        """Read the runs of a span, in parts of at most 1,000, newest first."""
        waiting = [whole]
        while waiting:
            span = waiting.pop()
            page = self.history.runs(1, since=span.since, until=span.until)
            if span == whole:
                self._total, self._passed = page.total, 0
            if page.total > CEILING and span.since < span.until:
                newer, older = halves(span)
                waiting += [older, newer]
                continue
            self._unreachable += max(0, page.total - CEILING)
            self._read_pages(span, page)
            self._cover(span)

    def _read_pages(self, span: TimeSpan, page: RunPage) -> None:
        number, tries = 1, 0
        while True:
            self._handle(page.runs)
            if number * PAGE >= min(page.total, CEILING) or not page.runs:
                return
            if page.total <= CEILING:
                self._cover(TimeSpan(min(each.created for each in page.runs) + SECOND, span.until))
            number += 1
            following = self.history.runs(number, since=span.since, until=span.until)
            if following.total < page.total and tries < _TRIES:
                # A run was deleted, so that those of the next page moved up.
                tries, number = tries + 1, 1
                following = self.history.runs(1, since=span.since, until=span.until)
            page = following

    def _handle(self, runs: Sequence[PastRun]) -> None:
        """Read the jobs of those runs that are completed and new, and keep both."""
        wanted: list[PastRun] = []
        begun = len(self._stored)
        for run in runs:
            if run.id in self._seen or run.created < self.since:
                continue
            self._seen.add(run.id)
            if is_completed(run) and (run.id, run.attempt) in self.known.runs:
                self._unfinished.discard(run.id)
            elif is_completed(run):
                wanted.append(run)
                if any(span.since <= run.created <= span.until for span in self._covered):
                    self._unfinished.add(run.id)  # nothing else would show that it is missing
            elif run.created >= self.now - LONGEST_RUN:
                self._unfinished.add(run.id)
        failures = run_parallel(wanted, self._keep_run, width=self.width)
        self._passed += len(runs) - len(wanted) + len(self._stored) - begun
        for failure in sorted(failures, key=lambda each: isinstance(each, OutOfRequests)):
            raise failure
        if len(self._kept) >= _BATCH:
            self._flush()

    def _keep_run(self, run: PastRun) -> None:
        """Read the jobs of a run, and its earlier attempts if it has any. It is kept with all of them or not at all."""
        jobs = self.history.jobs(run.id)
        attempts = [run]
        for number in range(1, run.attempt):
            if (run.id, number) not in self.known.runs:
                earlier = self.history.run(run.id, attempt=number)
                attempts += [earlier] if earlier is not None and is_completed(earlier) else []
        with self._lock:
            self._stored.add(run.id)
            self._unfinished.discard(run.id)
            if jobs is None:
                self._gone += 1
            else:
                self._keep(job_records(run, jobs))
                self._keep(tuple(run_record(each) for each in attempts))

    # What is kept

    def _keep(self, records: Iterable[Record]) -> None:
        for record in records:
            self._kept.append(record)
            self._count[type(record)] = self._count.get(type(record), 0) + 1

    def _cover(self, span: TimeSpan) -> None:
        # The newest page alone, with nothing new on it, is read again anyway.
        self._is_longer |= bool(missing(span, self._covered) and (self._listed or not self._covered))
        self._listed.append(span)
        self._covered = merge([*self._covered, span])

    def _flush(self) -> None:
        """Keep what was read so far, together with how far that is."""
        if self._has_failed:
            return
        before = self.known.fetched or FetchedRecord(at=self.now)
        state = FetchedRecord(
            at=self.now,
            covered=tuple((each.since, each.until) for each in self._covered[:_SPANS]),
            unfinished=tuple(sorted(self._unfinished, reverse=True)[:_UNFINISHED]),
            updates_until=self._updates_until,
        )
        is_same = (before.unfinished, before.updates_until) == (state.unfinished, state.updates_until)
        if self._kept or self._is_longer or not is_same:
            self._has_failed = True
            # A run that is in the store has all its jobs there, whatever ends the program meanwhile.
            self.save([*sorted(self._kept, key=lambda each: isinstance(each, RunRecord)), state])
            self._has_failed = False
            self._kept.clear()

    def _result(self, whole: TimeSpan | None, *, stopped: bool) -> Fetched:
        return Fetched(
            runs=self._count.get(RunRecord, 0),
            jobs=sum(count for kind, count in self._count.items() if kind.folder == "jobs"),
            releases=self._count.get(ReleasedRecord, 0),
            updates=self._count.get(UpdateRecord, 0),
            unfinished=len(self._unfinished),
            gone=self._gone,
            unreachable=self._unreachable,
            requests=self.history.requests,
            left=self._left(whole) if stopped else None,
        )

    def _left(self, whole: TimeSpan | None) -> Remaining:
        gaps = missing(whole, self._covered) if whole is not None else ()
        if whole is None or not gaps:
            return Remaining(reruns=whole is not None)
        runs, is_one = max(0, self._total - self._passed), len(gaps) == 1
        return Remaining(runs=runs, exact=is_one and self._total < EXACT, until=gaps[0].until)
