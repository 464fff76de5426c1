"""The stages of a release in the user's order, and the laws that order must keep."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from unmoor.core.stage import Output, Reach, Stage

AnyStage = Stage[Any]


class InvalidPipeline(ValueError):
    """A pipeline that must not exist: a fault of the assembly, never of the user."""


@dataclass(frozen=True)
class Pipeline:
    """Ordered stages. Raises `InvalidPipeline` at construction where a law does not hold.

    The laws: names are unique; every promise is given by an earlier stage; once something is
    final, only what follows from it may come after; what reaches outside never stands on advice.
    """

    stages: tuple[AnyStage, ...]

    def __post_init__(self) -> None:
        seen: set[str] = set()
        final: str | None = None
        for stage in self.stages:
            if stage.name in seen:
                raise InvalidPipeline(f"two stages are called {stage.name!r}")
            for promise in stage.needs:
                if promise.by not in seen:
                    raise InvalidPipeline(f"{stage.name!r} needs {promise.by!r}, which no earlier stage gives")
                if self[promise.by].advisory and not stage.advisory:
                    raise InvalidPipeline(f"{stage.name!r} stands on {promise.by!r}, which is only advisory")
            if final is not None and final not in self.before(stage):
                raise InvalidPipeline(f"{stage.name!r} comes after the final {final!r} without following from it")
            seen.add(stage.name)
            if stage.reach is Reach.FINAL:
                final = stage.name

    def __iter__(self) -> Iterator[AnyStage]:
        return iter(self.stages)

    def __getitem__(self, name: str) -> AnyStage:
        """Return the stage of that name; ``KeyError`` where there is none."""
        for stage in self.stages:
            if stage.name == name:
                return stage
        raise KeyError(name)

    @property
    def names(self) -> tuple[str, ...]:
        """The stages' names in order."""
        return tuple(stage.name for stage in self.stages)

    def before(self, stage: AnyStage) -> frozenset[str]:
        """Everything a stage follows from, however far back."""
        found: set[str] = set()
        waiting: list[Output[Any]] = list(stage.needs)
        while waiting:
            promise = waiting.pop()
            if promise.by not in found:
                found.add(promise.by)
                waiting.extend(self[promise.by].needs)
        return frozenset(found)
