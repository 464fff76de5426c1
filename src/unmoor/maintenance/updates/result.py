"""What `unmoor deps update` found, and hands over to `unmoor deps propose`, perhaps in another job."""

from __future__ import annotations

import msgspec

from unmoor.maintenance.updates.caps import HeldBack
from unmoor.maintenance.updates.groups import Update, UpdateGroup
from unmoor.maintenance.updates.lock import Move


class TestedGroup(msgspec.Struct, frozen=True, kw_only=True):
    """The updates of one group that passed the tests together.

    ``also`` is what these need besides: packages that rise with them, come or go. ``lock`` is the whole lock with them
    and with the groups before.
    """

    __test__ = False  # not for pytest

    group: UpdateGroup
    updates: tuple[Update, ...]
    also: tuple[Move, ...] = ()
    lock: str


class OmittedUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """An update that is not in the lock, and why."""

    update: Update
    why: str


class UpdateResult(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an update of the lock of a commit.

    ``path`` is the folder of the project in the repository, and ``lock_sha256`` is of its lock at the commit.
    ``until`` is the day until which files count, in words. ``flaky`` are updates with which the tests failed once and
    then passed. ``unfixed`` are known vulnerabilities that no version which the project allows fixes. ``runs`` counts
    the runs of the tests.
    """

    format: int = 1
    commit: str
    path: str = ""
    lock_sha256: str
    until: str = ""
    groups: tuple[TestedGroup, ...] = ()
    left_out: tuple[OmittedUpdate, ...] = ()
    held_back: tuple[HeldBack, ...] = ()
    flaky: tuple[Update, ...] = ()
    unfixed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    runs: int = 0
