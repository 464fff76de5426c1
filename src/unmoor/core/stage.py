"""What a stage is: it reads the outputs of other stages, gives one product, and declares its reach.

A stage is a frozen, keyword-only dataclass with three sorts of field: settings (values), inputs
(each another stage's ``output``) and ports (the powers it has: no port, no power).
There are four kinds, closed on purpose: `Check`, `Build`, `Push` and `Publish`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any, ClassVar, Generic, Protocol, TypeVar, cast, runtime_checkable

P = TypeVar("P")


@runtime_checkable
class Product(Protocol):
    """What a product of a release can say of itself; the engine runs stages that give any other value, too."""

    @property
    def summary(self) -> str:
        """What it is, in one line that is fit for a terminal."""


class Reach(IntEnum):
    """How far a stage reaches; a run has one of these as its ceiling."""

    READS = 0
    LOCAL = 1
    REMOTE = 2
    FINAL = 3


@dataclass(frozen=True)
class Output(Generic[P]):
    """A product that the stage named ``by`` will give."""

    by: str


def present(*outputs: Output[Any] | None) -> tuple[Output[Any], ...]:
    """The outputs of those stages that a release has."""
    return tuple(output for output in outputs if output is not None)


def _silent(_text: str) -> None:
    """Say nothing: the voice of a stage that is called outside a run."""


@dataclass(frozen=True)
class StageContext:
    """What a stage is handed: the products of its inputs, and a voice.

    ``say`` is for what the user should know while it happens, ``warn`` for what must still be
    seen at the end. Both go to the listeners; a stage never prints.
    """

    products: Mapping[str, object]
    say: Callable[[str], None] = _silent
    warn: Callable[[str], None] = _silent

    def __getitem__(self, output: Output[P]) -> P:
        """Return the product of an output; ``KeyError`` where it was never given."""
        return cast("P", self.products[output.by])


@dataclass(frozen=True)
class Undone:
    """``undo`` took it back."""

    what: str


@dataclass(frozen=True)
class NotUndone:
    """``undo`` had to leave it, and why."""

    why: str


@dataclass(frozen=True, kw_only=True)
class Stage(ABC, Generic[P]):
    """One step of a release.

    ``after`` holds outputs that must be there before this stage makes anything, beyond the inputs
    it reads; looking does not wait for them. ``advisory``: a failure is told, and stops nobody.
    """

    name: str
    after: tuple[Output[Any], ...] = ()
    advisory: bool = False

    reach: ClassVar[Reach]

    @property
    def output(self) -> Output[P]:
        """What this stage gives, for others to take as an input."""
        return Output(self.name)

    @property
    def inputs(self) -> tuple[Output[Any], ...]:
        """The outputs this stage reads, whether to look or to make."""
        values = (getattr(self, field.name) for field in fields(self) if field.name != "after")
        return tuple(value for value in values if isinstance(value, Output))

    @property
    def needs(self) -> tuple[Output[Any], ...]:
        """Every output that must be there before this stage makes anything."""
        return (*self.inputs, *(each for each in self.after if each not in self.inputs))

    @abstractmethod
    def plan(self) -> str:
        """Say in words what would be touched. Touches nothing."""

    @abstractmethod
    def make(self, context: StageContext) -> P:
        """Bring the product about. Raises an `UnmoorError` where that cannot be done."""


class Check(Stage[P], ABC):
    """Reads, and refuses what must not go on."""

    reach = Reach.READS


class Resumable(Stage[P], ABC):
    """What the three kinds that leave something behind have in common."""

    @abstractmethod
    def find(self, context: StageContext) -> P | None:
        """Return the product if the world already holds it, ``None`` if it is absent.

        Raises `Conflict` (naming both digests) where the same name holds other bytes, and
        `Unknown` where the world could not be read.
        """


class Build(Resumable[P], ABC):
    """Makes something on this machine."""

    reach = Reach.LOCAL


class Push(Resumable[P], ABC):
    """Brings something to a surface in a way that can be taken back, or that nobody installs from."""

    reach = Reach.REMOTE

    @abstractmethod
    def undo(self, product: P) -> Undone | NotUndone:
        """Take back what can be taken back, and say why where it cannot."""


class Publish(Resumable[P], ABC):
    """Brings something to a surface for good."""

    reach = Reach.FINAL

    @abstractmethod
    def remedy(self, product: P) -> str:
        """Say what a person can do about it afterwards, since nothing can take it back."""

    def undo_partly(self, product: P) -> tuple[Undone | NotUndone, ...]:
        """Take back the part of it that can still be moved; as a rule there is none."""
        del product
        return ()
