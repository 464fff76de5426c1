"""What happens in a run, as values. Logic says what happened; listeners say it aloud.

``event`` is what JSON lines call it: a class may change its name, a document may not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from unmoor.core.outcome import Outcome
from unmoor.core.stage import Reach


@dataclass(frozen=True, kw_only=True)
class StageInfo:
    """One stage as a listener needs to know it beforehand."""

    name: str
    reach: Reach
    advisory: bool


@dataclass(frozen=True, kw_only=True)
class RunStarted:
    """A run begins: which world, how far, which stages in order."""

    event: ClassVar[str] = "RunStarted"

    world: str
    rehearsal: bool
    ceiling: Reach
    stages: tuple[StageInfo, ...]


@dataclass(frozen=True, kw_only=True)
class StageStarted:
    """A stage begins to look, or to make."""

    event: ClassVar[str] = "StageStarted"

    stage: str


@dataclass(frozen=True, kw_only=True)
class StageSaid:
    """Something a user should know while it happens."""

    event: ClassVar[str] = "StageSaid"

    stage: str
    text: str


@dataclass(frozen=True, kw_only=True)
class StageWarned:
    """Something that must still be seen at the end."""

    event: ClassVar[str] = "StageWarned"

    stage: str
    text: str


@dataclass(frozen=True, kw_only=True)
class StageEnded:
    """A stage is done, one way or another; ``seconds`` it took."""

    event: ClassVar[str] = "StageEnded"

    stage: str
    outcome: Outcome
    seconds: float


@dataclass(frozen=True, kw_only=True)
class StageReport:
    """How one stage ended; ``outcome`` is ``None`` for a stage that nobody asked for."""

    entry: StageInfo
    outcome: Outcome | None
    seconds: float
    plan: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """The whole run, stage by stage in order, and what was warned of."""

    stages: tuple[StageReport, ...]
    warnings: tuple[StageWarned, ...]
    seconds: float

    def outcome(self, name: str) -> Outcome | None:
        """How the stage of that name ended, ``None`` where it was not asked for or does not exist."""
        return next((each.outcome for each in self.stages if each.entry.name == name), None)

    def product(self, name: str) -> object | None:
        """What the stage of that name gave, ``None`` where it gave nothing."""
        return getattr(self.outcome(name), "product", None)


@dataclass(frozen=True, kw_only=True)
class RunEnded:
    """The run is over."""

    event: ClassVar[str] = "RunEnded"

    report: Report


Event = RunStarted | StageStarted | StageSaid | StageWarned | StageEnded | RunEnded
Listener = Callable[[Event], None]
