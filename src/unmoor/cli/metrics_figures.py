"""Read the figures of a project from its store, for the commands that judge and show them."""

from __future__ import annotations

import contextlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from unmoor.metrics.judge.figures import Figures, read_figures
from unmoor.metrics.records import KINDS, FetchedRecord, UpdateRecord
from unmoor.metrics.store.database import build
from unmoor.util.values import replace

if TYPE_CHECKING:
    from unmoor.metrics.store.records_store import RecordStore

# Longer than any rule looks back, and no longer than a forge remembers.
_DAYS = 400


def figures_of(store: RecordStore, *, now: datetime | None = None) -> Figures:
    """Read all figures or, with ``now``, those of the last 400 days and every update. Raises as the store does."""
    if now is None:
        records = store.read()
    else:
        others = tuple(kind for kind in KINDS if kind is not UpdateRecord)
        records = (*store.read(others, since=f"{now - timedelta(days=_DAYS):%Y-%m}"), *store.read_kind(UpdateRecord))
    with contextlib.closing(build(records)) as connection:
        figures = read_figures(connection)
    fetched = [each.at for each in records if isinstance(each, FetchedRecord)]
    return replace(figures, fetched=max(fetched, default=None))
