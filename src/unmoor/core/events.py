"""What happens in a run, as values. The engine says what happened; listeners show it.

``event`` is the name in JSON lines, kept separate from the class name so that a class can be renamed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

import msgspec

from unmoor.core.outcome import Outcome
from unmoor.core.stage import Reach
from unmoor.core.waivers import Emergency
from unmoor.errors import UnmoorError


class StageInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a listener knows of a stage before it runs."""

    name: str
    reach: Reach
    advisory: bool


class RunStarted(msgspec.Struct, frozen=True, kw_only=True):
    """A run begins: its world, its ceiling, and its stages in order."""

    event: ClassVar[str] = "RunStarted"

    world: str
    rehearsal: bool
    ceiling: Reach
    stages: tuple[StageInfo, ...]


class StageStarted(msgspec.Struct, frozen=True, kw_only=True):
    """A stage begins to look or to make."""

    event: ClassVar[str] = "StageStarted"

    stage: str


class StageSaid(msgspec.Struct, frozen=True, kw_only=True):
    """A message about what a stage is doing."""

    event: ClassVar[str] = "StageSaid"

    stage: str
    text: str


class StageWarned(msgspec.Struct, frozen=True, kw_only=True):
    """A warning, repeated at the end of the run."""

    event: ClassVar[str] = "StageWarned"

    stage: str
    text: str


class StageEnded(msgspec.Struct, frozen=True, kw_only=True):
    """A stage ended, in whatever way. ``seconds`` is how long it took."""

    event: ClassVar[str] = "StageEnded"

    stage: str
    outcome: Outcome
    seconds: float


class StageReport(msgspec.Struct, frozen=True, kw_only=True):
    """How one stage ended. ``outcome`` is ``None`` for a stage that was not wanted."""

    info: StageInfo
    outcome: Outcome | None
    seconds: float
    plan: str


class LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a release that a run leaves out: ``what``, such as ``the image ghcr.io/acme/demo``, and why."""

    what: str
    why: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The whole run: its stages in order, and all warnings.

    ``documents`` are the sha256 of what later jobs have to be given, by file name, the manifest last. ``unreported``
    are the failures of listeners that were told of its end, such as a summary that cannot be written. ``left_out`` is
    what the run does without, ``emergency`` the emergency in which it was made, with the result of each gate.
    """

    stages: tuple[StageReport, ...]
    warnings: tuple[StageWarned, ...]
    seconds: float
    documents: Mapping[str, str] = msgspec.field(default_factory=dict)
    unreported: tuple[UnmoorError, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    emergency: Emergency | None = None

    def outcome(self, name: str) -> Outcome | None:
        """How the stage of that name ended, ``None`` if it was not wanted or does not exist."""
        return next((each.outcome for each in self.stages if each.info.name == name), None)

    def product(self, name: str) -> object | None:
        """The product of the stage of that name, ``None`` if it gave none."""
        return getattr(self.outcome(name), "product", None)


class RunEnded(msgspec.Struct, frozen=True, kw_only=True):
    """The run is over."""

    event: ClassVar[str] = "RunEnded"

    report: Report


Event = RunStarted | StageStarted | StageSaid | StageWarned | StageEnded | RunEnded
Listener = Callable[[Event], None]
