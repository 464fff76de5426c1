"""Delete the leftovers that can go, one after the other, and say of each that stays after all why it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Final

import msgspec

from unmoor.errors import Rejected, UnmoorError
from unmoor.maintenance.leftovers import LeftoverVerdict, WhyKept
from unmoor.ports.leftovers import Leftovers, RunArtifact
from unmoor.util.text import clean

NOT_TRIED: Final = "not tried after that error"


class Deleted(msgspec.Struct, frozen=True, kw_only=True):
    """The leftovers that are gone, by id, and those that were spared after all, each with the reason.

    ``error`` ended the work: what came after it was not tried.
    """

    gone: frozenset[int] = frozenset()
    spared: Mapping[int, str] = msgspec.field(default_factory=lambda: MappingProxyType({}))
    error: UnmoorError | None = None


def delete(leftovers: Leftovers, verdicts: Sequence[LeftoverVerdict], *, say: Callable[[str], None]) -> Deleted:
    """Delete what goes. A run that somebody started once more since then keeps its artifacts.

    One that the forge refuses to delete is spared. After any other error the rest is spared: a token that may not
    delete one may delete none, and a forge that asks for a long wait is asked again by the next run.
    """

    @cache
    def why_kept(run: int | None) -> WhyKept | None:
        ended = leftovers.is_finished(run) if run is not None else None
        return WhyKept.UNKNOWN_RUN if ended is None else None if ended else WhyKept.UNFINISHED

    gone: set[int] = set()
    spared: dict[int, str] = {}
    stopped: UnmoorError | None = None
    for leftover in (each.leftover for each in verdicts if each.goes):
        if stopped is not None:
            spared[leftover.id] = NOT_TRIED
            continue
        try:
            if isinstance(leftover, RunArtifact):
                if why := why_kept(leftover.run):
                    spared[leftover.id] = why
                    continue
                is_ours = leftovers.delete_artifact(leftover)
            else:
                is_ours = leftovers.delete_cache(leftover)
        except Rejected as error:
            spared[leftover.id] = f"{WhyKept.FAILED}: {clean(error.what, 200)}"
        except UnmoorError as error:
            stopped = error
            spared[leftover.id] = f"{WhyKept.FAILED}: {clean(error.what, 200)}"
        else:
            gone.add(leftover.id)
            say(f"deleted {leftover.id}" if is_ours else f"{leftover.id} was gone already")
    return Deleted(gone=frozenset(gone), spared=MappingProxyType(spared), error=stopped)
