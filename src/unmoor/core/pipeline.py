"""The stages of a release in the user's order, and the laws that order must keep."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

from unmoor.core.stage import Output, Reach, Stage

AnyStage = Stage[Any]


class InvalidPipeline(ValueError):
    """A pipeline that must not exist: a fault of the assembly, never of the user."""


@dataclass(frozen=True)
class Pipeline:
    """Ordered stages. Raises `InvalidPipeline` at construction where a law does not hold.

    The laws: names are unique; every output is given by an earlier stage; once something is
    final, only what follows from it may come after; what reaches outside never stands on advice.
    """

    stages: tuple[AnyStage, ...]

    @classmethod
    def of(cls, *stages: AnyStage | None) -> Self:
        """A pipeline of the stages that there are: ``None`` stands for one that a project does without."""
        return cls(tuple(stage for stage in stages if stage is not None))

    def __post_init__(self) -> None:
        seen: set[str] = set()
        final: str | None = None
        for stage in self.stages:
            if stage.name in seen:
                raise InvalidPipeline(f"two stages are called {stage.name!r}")
            for output in stage.needs:
                if output.by not in seen:
                    raise InvalidPipeline(f"{stage.name!r} needs {output.by!r}, which no earlier stage gives")
                if self[output.by].advisory and not stage.advisory:
                    raise InvalidPipeline(f"{stage.name!r} stands on {output.by!r}, which is only advisory")
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
            output = waiting.pop()
            if output.by not in found:
                found.add(output.by)
                waiting.extend(self[output.by].needs)
        return frozenset(found)
