"""What is kept of a pipeline and of measurements: one line of JSON for each record.

A record has a kind, which is the tag of its struct and the name of its folder in a store, and a key. If two lines have
the same kind and key, the later one counts: a run that was measured again, an update that was merged since.

A field that is added later needs a default, so that older lines stay readable.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, ClassVar, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

LONGEST: Final = 500
"""Characters of the longest text in a record. Whoever makes one shortens what comes from outside, by `clean`."""

# Nothing that moves a terminal's cursor, and no line end.
Text: TypeAlias = Annotated[str, Meta(max_length=LONGEST, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$(?!\n)")]
"""One printable line."""
Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=LONGEST, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$(?!\n)")]
"""One printable line that is not empty."""
Commit: TypeAlias = Annotated[str, Meta(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$(?!\n)")]
"""A full commit id."""
Time: TypeAlias = Annotated[datetime, Meta(tz=True)]
"""A moment, in UTC as it is written."""
Count: TypeAlias = Annotated[int, Meta(ge=0, le=2**53)]
"""A number that every reader of JSON keeps."""
Unit: TypeAlias = Literal["s", "bytes"]
"""What a measured value counts."""
Key: TypeAlias = tuple[str | int, ...]
"""What makes a record the same one as another of its kind."""


class RunRecord(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="run"):
    """An attempt of a workflow run that is completed. ``workflow`` is the path of its file.

    ``pull_request`` says whether a pull request started it, so that its commit is that of a merge that moves.
    """

    folder: ClassVar[str] = "runs"
    id: Count
    attempt: Count
    workflow: Name
    name: Text
    event: Name
    branch: Text
    commit: Commit
    pull_request: bool
    created: Time
    started: Time | None = None
    conclusion: Name
    url: Text = ""

    @property
    def key(self) -> Key:
        """The run and its attempt."""
        return (self.id, self.attempt)

    @property
    def time(self) -> datetime:
        """When the run was created."""
        return self.created


class JobRecord(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="job"):
    """A job of an attempt of a run. Its duration is from ``started`` to ``completed``; before that it was queued."""

    folder: ClassVar[str] = "jobs"
    id: Count
    run: Count
    attempt: Count
    workflow: Name
    name: Name
    commit: Commit
    event: Name
    created: Time | None = None
    started: Time | None = None
    completed: Time | None = None
    conclusion: Name

    @property
    def key(self) -> Key:
        """The job, whose id no other attempt has."""
        return (self.id,)

    @property
    def time(self) -> datetime:
        """The first moment that is known of the job."""
        return self.created or self.started or self.completed or _EPOCH


class BenchmarkRecord(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="benchmark"):
    """A measured value of a commit: the median of its ``rounds``. ``machine`` says what it was measured on."""

    folder: ClassVar[str] = "benchmarks"
    commit: Commit
    at: Time
    name: Name
    unit: Unit
    value: Annotated[float, Meta(ge=0)]
    rounds: Annotated[int, Meta(ge=1, le=2**53)] = 1
    machine: Text = ""

    @property
    def key(self) -> Key:
        """What was measured of which commit, where and when: each measurement is a point of its own."""
        return (self.commit, self.name, self.unit, self.machine, _written(self.at))

    @property
    def time(self) -> datetime:
        """When it was measured."""
        return self.at


class CoverageRecord(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="coverage"):
    """How many lines of a commit its tests ran, and of how many. Branches are ``None`` if they were not measured."""

    folder: ClassVar[str] = "coverage"
    commit: Commit
    at: Time
    covered: Count
    lines: Count
    branches_covered: Count | None = None
    branches: Count | None = None

    @property
    def key(self) -> Key:
        """The commit."""
        return (self.commit,)

    @property
    def time(self) -> datetime:
        """When it was measured."""
        return self.at


class TestsRecord(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="tests"):
    """The results of a test suite. Errors count as failed."""

    __test__: ClassVar[bool] = False  # for pytest, which collects classes of such names
    folder: ClassVar[str] = "tests"
    commit: Commit
    at: Time
    suite: Name
    passed: Count
    failed: Count
    skipped: Count
    seconds: Annotated[float, Meta(ge=0)]

    @property
    def key(self) -> Key:
        """The suite of a commit."""
        return (self.commit, self.suite)

    @property
    def time(self) -> datetime:
        """When the tests ran."""
        return self.at


class FindingsRecord(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="findings"):
    """How many findings a tool has in a commit, by their level; suppressed ones do not count."""

    folder: ClassVar[str] = "findings"
    commit: Commit
    at: Time
    tool: Name
    errors: Count
    warnings: Count
    notes: Count

    @property
    def key(self) -> Key:
        """The tool and the commit."""
        return (self.commit, self.tool)

    @property
    def time(self) -> datetime:
        """When the tool ran."""
        return self.at


class ReleasedRecord(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="release"):
    """A published release."""

    folder: ClassVar[str] = "releases"
    id: Count
    tag: Name
    at: Time
    prerelease: bool

    @property
    def key(self) -> Key:
        """The release."""
        return (self.id,)

    @property
    def time(self) -> datetime:
        """When it was published."""
        return self.at


class UpdateRecord(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="update"):
    """A pull request that updates dependencies; open while ``closed`` is ``None``."""

    folder: ClassVar[str] = "updates"
    number: Count
    title: Text
    author: Name
    created: Time
    closed: Time | None = None
    merged: Time | None = None
    ecosystem: Text = ""
    security: bool | None = None

    @property
    def key(self) -> Key:
        """The pull request."""
        return (self.number,)

    @property
    def time(self) -> datetime:
        """When it was opened."""
        return self.created


class FetchedRecord(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="fetched"):
    """What the fetches of a forge's runs had read by a moment; the last one counts.

    ``covered`` are spans of time, newest first: the completed runs that were created in them are kept. ``unfinished``
    are runs in them that were not completed yet. Updates that changed last before ``updates_until`` are kept.
    """

    folder: ClassVar[str] = "fetched"
    at: Time
    covered: Annotated[tuple[tuple[Time, Time], ...], Meta(max_length=100)] = ()
    unfinished: Annotated[tuple[Count, ...], Meta(max_length=700)] = ()
    updates_until: Time | None = None

    @property
    def key(self) -> Key:
        """The only one."""
        return ("fetched",)

    @property
    def time(self) -> datetime:
        """When the fetch ended."""
        return self.at


Record: TypeAlias = (
    RunRecord
    | JobRecord
    | BenchmarkRecord
    | CoverageRecord
    | TestsRecord
    | FindingsRecord
    | ReleasedRecord
    | UpdateRecord
    | FetchedRecord
)
KINDS: Final[tuple[type[Record], ...]] = (
    RunRecord,
    JobRecord,
    BenchmarkRecord,
    CoverageRecord,
    TestsRecord,
    FindingsRecord,
    ReleasedRecord,
    UpdateRecord,
    FetchedRecord,
)
"""Every kind of record, in the order of the reference."""
BY_FOLDER: Final[Mapping[str, type[Record]]] = {kind.folder: kind for kind in KINDS}

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
