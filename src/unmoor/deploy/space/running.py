"""When a Space runs what was committed: a hub may go on to report the former application for a while.

So ``RUNNING`` counts only if the hub names our commit, or if it built something after the commit.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

import msgspec

from unmoor.ports.space_hub import SpaceRuntime

RUNNING: Final = "RUNNING"
PAUSED: Final = "PAUSED"
SLEEPING: Final = "SLEEPING"
_BUILDS: Final = frozenset({"BUILDING", "RUNNING_BUILDING"})
_STARTS: Final = frozenset({"APP_STARTING", "RUNNING_APP_STARTING"})
_BUILD_ERRORS: Final = frozenset({"BUILD_ERROR", "CONFIG_ERROR", "NO_APP_FILE"})
_OFF: Final = frozenset({PAUSED, "STOPPED", "DELETING"})


class Progress(Enum):
    """How far a Space is."""

    WAITING = "waiting"
    RUNS = "runs"
    BUILD_FAILED = "build failed"
    APP_FAILED = "app failed"
    OFF = "off"
    """A person stopped it, and it does not start by itself."""


class RunningWatch(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen of a Space since ``commit`` is its head. ``built``: a build began."""

    commit: str
    built: bool = False

    def seen(self, runtime: SpaceRuntime) -> tuple[RunningWatch, Progress]:
        """Add an answer, and judge by all of them.

        An error of another commit is the former application's, and does not count.

        >>> watch = RunningWatch(commit="b")
        >>> [watch.seen(SpaceRuntime(stage="RUNNING", commit=commit))[1].value for commit in ("", "a", "b")]
        ['waiting', 'waiting', 'runs']
        """
        stage = runtime.stage
        is_ours = runtime.commit == self.commit
        is_other = bool(runtime.commit) and not is_ours
        watch = RunningWatch(commit=self.commit, built=self.built or stage in _BUILDS or (stage in _STARTS and is_ours))
        counts = is_ours or (watch.built and not is_other)
        if stage in _OFF:
            return watch, Progress.OFF
        if stage == SLEEPING:
            # It slept after it had run; a commit wakes it.
            return watch, Progress.RUNS if counts else Progress.WAITING
        if not counts:
            return watch, Progress.WAITING
        if stage in _BUILD_ERRORS:
            return watch, Progress.BUILD_FAILED
        if stage == "RUNTIME_ERROR":
            return watch, Progress.APP_FAILED
        return watch, Progress.RUNS if stage == RUNNING else Progress.WAITING
