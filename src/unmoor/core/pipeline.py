"""The stages of a release in order, and the rules that the order must keep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import msgspec

from unmoor.core.stage import Output, Reach, Stage

AnyStage = Stage[Any]


class InvalidPipeline(ValueError):
    """The pipeline breaks a rule: a bug in the assembly, never a mistake of the user."""


class Pipeline(msgspec.Struct, frozen=True):
    """Stages in order. Raises `InvalidPipeline` if they break a rule.

    The rules: names are unique; every input is the output of an earlier stage; after a final stage come
    only stages that follow from it; no stage depends on an advisory one, unless it is advisory itself; one that runs
    last is advisory, and nothing comes after it.
    """

    stages: tuple[AnyStage, ...]

    @classmethod
    def of(cls, *stages: AnyStage | None) -> Self:
        """Build a pipeline. ``None`` stands for a stage that this release does not have."""
        return cls(tuple(stage for stage in stages if stage is not None))

    def __post_init__(self) -> None:
        seen: set[str] = set()
        final: str | None = None
        for stage in self.stages:
            if stage.runs_last and (stage is not self.stages[-1] or not stage.advisory):
                raise InvalidPipeline(f"{stage.name!r} runs last, so it is advisory and nothing comes after it")
            if stage.name in seen:
                raise InvalidPipeline(f"two stages are called {stage.name!r}")
            for output in stage.needs:
                if output.by not in seen:
                    raise InvalidPipeline(f"{stage.name!r} needs {output.by!r}, which no earlier stage gives")
                if self[output.by].advisory and not stage.advisory:
                    raise InvalidPipeline(f"{stage.name!r} depends on {output.by!r}, which is only advisory")
            if final is not None and final not in self.upstream_of(stage):
                raise InvalidPipeline(f"{stage.name!r} is listed after the final {final!r} but does not depend on it")
            seen.add(stage.name)
            if stage.reach is Reach.FINAL:
                final = stage.name

    def __iter__(self) -> Iterator[AnyStage]:
        return iter(self.stages)

    def __getitem__(self, name: str) -> AnyStage:
        """Return the stage of that name. Raises `KeyError` if there is none."""
        for stage in self.stages:
            if stage.name == name:
                return stage
        raise KeyError(name)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the stages, in order."""
        return tuple(stage.name for stage in self.stages)

    def upstream_of(self, stage: AnyStage) -> frozenset[str]:
        """The names of all stages that a stage depends on, directly or not."""
        found: set[str] = set()
        waiting: list[Output[Any]] = list(stage.needs)
        while waiting:
            output = waiting.pop()
            if output.by not in found:
                found.add(output.by)
                waiting.extend(self[output.by].needs)
        return frozenset(found)
