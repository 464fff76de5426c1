"""Find the members of a batch with which the tests fail, by halving it. The rest stays.

One culprit among n takes at most 1 + 2⌈log2 n⌉ + 1 runs: one of the batch, at most two for each halving, and one more
of the culprit, since whoever is blamed must fail twice. The run of the unchanged lock before makes that 3 + 2⌈log2 n⌉.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

import msgspec

Item = TypeVar("Item")


class TrialState(StrEnum):
    """How a set of updates did."""

    PASSED = "passed"
    FAILED = "failed"
    """The tests fail, or the versions cannot be installed."""
    UNRESOLVED = "unresolved"
    """The versions do not fit together. That is certain, so it is tried once."""


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a set of updates, and why it did not pass."""

    state: TrialState
    why: str = ""

    @property
    def passed(self) -> bool:
        """Whether it passed."""
        return self.state is TrialState.PASSED


@dataclass
class Halving(Generic[Item]):
    """One search. ``attempt`` tries a set of items: those that were kept so far, and more.

    What is kept has passed together in the last attempt that passed. ``flaked`` are items that were tried alone and
    failed once: they are kept too.
    """

    attempt: Callable[[Sequence[Item]], Trial]
    kept: list[Item] = field(default_factory=list)
    blamed: list[tuple[Item, str]] = field(default_factory=list)
    flaked: list[Item] = field(default_factory=list)

    def add(self, items: Sequence[Item]) -> None:
        """Try items as a batch, and keep those that pass together with what was kept before."""
        self._search(list(items), known=None)

    def _search(self, items: list[Item], *, known: Trial | None) -> None:
        """Keep or blame each item. ``known`` is the failure of exactly these with what is kept, if that was tried."""
        if not items:
            return
        trial = known or self.attempt([*self.kept, *items])
        if trial.passed:
            self.kept += items
        elif len(items) == 1:
            self._judge(items[0], trial)
        else:
            before = len(self.kept)
            middle = len(items) // 2
            self._search(items[:middle], known=None)
            whole = len(self.kept) - before == middle
            # If the first half is kept whole, the second half together with it is what has just failed.
            self._search(items[middle:], known=trial if whole else None)

    def _judge(self, item: Item, trial: Trial) -> None:
        """Blame an item that failed once, if it fails again."""
        if trial.state is TrialState.FAILED:
            again = self.attempt([*self.kept, item])
            if again.passed:
                self.kept.append(item)
                self.flaked.append(item)
                return
            trial = again
        self.blamed.append((item, trial.why))
