"""What a stage is: it reads the outputs of other stages, gives one product, and declares its reach.

A stage is a frozen, keyword-only dataclass with three kinds of field: settings (values), inputs (the
``output`` of other stages) and ports. Without a port it can reach nothing outside. There are exactly
four kinds of stage: `Check`, `Build`, `Push` and `Publish`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from enum import IntEnum
from typing import Any, ClassVar, Generic, Protocol, TypeVar, cast, runtime_checkable

from unmoor.errors import UnmoorError

P = TypeVar("P")


@runtime_checkable
class Product(Protocol):
    """What a product of a release can say of itself; the engine runs stages that give any other value, too."""

    @property
    def summary(self) -> str:
        """What it is, in one line that is fit for a terminal."""


class Reach(IntEnum):
    """How far a stage reaches. The ceiling of a run is one of these."""

    READS = 0
    LOCAL = 1
    REMOTE = 2
    FINAL = 3


@dataclass(frozen=True)
class Output(Generic[P]):
    """The product that the stage named ``by`` gives."""

    by: str


def without_none(*outputs: Output[Any] | None) -> tuple[Output[Any], ...]:
    """Leave out the outputs of stages that this release does not have."""
    return tuple(output for output in outputs if output is not None)


def _silent(_text: str) -> None:
    """Drop the messages of a stage that is called outside a run."""


@dataclass(frozen=True)
class StageContext:
    """What a running stage gets: the products of its inputs, and two ways to report.

    ``say`` is for what the user should know while it happens; ``warn`` is repeated at the end. Both go
    to the listeners; a stage never prints. ``failures`` are the errors of the other stages, without advisory ones, by
    name: only a stage that ``runs_last`` gets any.
    """

    products: Mapping[str, object]
    say: Callable[[str], None] = _silent
    warn: Callable[[str], None] = _silent
    failures: Mapping[str, UnmoorError] = field(default_factory=dict)

    def __getitem__(self, output: Output[P]) -> P:
        """Return the product of an output. Raises `KeyError` if the stage gave none."""
        return cast("P", self.products[output.by])


@dataclass(frozen=True)
class Undone:
    """What ``undo`` took back."""

    what: str


@dataclass(frozen=True)
class NotUndone:
    """Why ``undo`` could not take something back."""

    why: str


@dataclass(frozen=True, kw_only=True)
class Stage(ABC, Generic[P]):
    """One step of a release.

    ``after`` lists outputs that must be there before this stage makes anything, in addition to its
    inputs; looking does not wait for them. ``advisory``: a failure is reported and stops nothing.
    ``runs_project_code``: to make its product, the stage builds, imports or tests what the project's authors wrote,
    which then runs on this machine, beside whatever credentials there are.
    ``runs_last``: the stage runs once all others have ended, however they ended. It still needs its inputs, but of what
    it comes ``after``, only what is above the ceiling of the run stops it.
    """

    name: str
    after: tuple[Output[Any], ...] = ()
    advisory: bool = False

    reach: ClassVar[Reach]
    runs_project_code: ClassVar[bool] = False
    runs_last: ClassVar[bool] = False

    @property
    def output(self) -> Output[P]:
        """What this stage gives, for other stages to take as an input."""
        return Output(self.name)

    @property
    def inputs(self) -> tuple[Output[Any], ...]:
        """The outputs that this stage needs, both to look and to make."""
        values = (getattr(self, field.name) for field in fields(self) if field.name != "after")
        return tuple(value for value in values if isinstance(value, Output))

    @property
    def needs(self) -> tuple[Output[Any], ...]:
        """Every output that must be there before this stage makes anything."""
        return (*self.inputs, *(each for each in self.after if each not in self.inputs))

    @abstractmethod
    def plan(self) -> str:
        """Say what the stage would do. Changes nothing."""

    @abstractmethod
    def make(self, context: StageContext) -> P:
        """Make the product. Raises an `UnmoorError` if that fails."""


class Check(Stage[P], ABC):
    """Only reads, and raises if the release must not continue."""

    reach = Reach.READS


class Resumable(Stage[P], ABC):
    """What the three kinds of stage that leave something behind have in common."""

    @abstractmethod
    def find(self, context: StageContext) -> P | None:
        """Return the product if the world already holds it, ``None`` if it is absent.

        Raises `Conflict` (with both digests) if the same name holds other bytes, and `Unknown` if the
        world cannot be read.
        """


class Build(Resumable[P], ABC):
    """Makes something on this machine."""

    reach = Reach.LOCAL


class Push(Resumable[P], ABC):
    """Sends something that can be taken back, or that nobody installs from."""

    reach = Reach.REMOTE

    @abstractmethod
    def undo(self, product: P) -> Undone | NotUndone:
        """Take the product back, or say why that is not possible."""

    def find_begun(self, context: StageContext) -> P | None:
        """Return what a run that was killed left of the product, for `undo`: `find` does not count it.

        By default there is no such state: the product is there as a whole, or absent.
        """
        del context
        return None


class Publish(Resumable[P], ABC):
    """Sends something that cannot be taken back."""

    reach = Reach.FINAL

    @abstractmethod
    def remedy(self, product: P) -> str:
        """Say what a person can do about it, since nothing can take it back."""

    def undo_partly(self, product: P) -> tuple[Undone | NotUndone, ...]:
        """Take back the part that can still be taken back. By default there is none."""
        del product
        return ()
