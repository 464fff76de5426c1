"""Run ``unmoor metrics fetch``: read what is new of the forge's past, and say what is left for the next fetch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from unmoor.adapters.factory import open_run_history
from unmoor.adapters.process.supervisor import Processes
from unmoor.cli.metrics_store import open_metrics
from unmoor.metrics.history.fetching import Fetched, Fetching, known_of
from unmoor.metrics.records import FetchedRecord, Record, ReleasedRecord, RunRecord, UpdateRecord
from unmoor.util.announce import announcing_to
from unmoor.util.text import count_of

if TYPE_CHECKING:
    from unmoor.cli.run_options import TargetOptions

_LONGEST = 30 * 365 * 86_400.0
_READ = (RunRecord, ReleasedRecord, UpdateRecord, FetchedRecord)


def run(target: TargetOptions, *, store: str | None, since: float, requests: int, as_json: bool) -> int:
    """Fetch, print how much is new, and return the exit code. What is left for the next fetch is no failure."""
    now = datetime.now(UTC)
    said: set[str] = set()

    def say_once(text: str) -> None:
        if text not in said:  # several requests may wait for the same reason
            said.add(text)
            _say(text)

    with Processes() as processes, processes.guarded(), announcing_to(say_once):
        opened = open_metrics(target, processes, store=store, forge=True)
        assert opened.world is not None  # noqa: S101 - required with the forge
        records = opened.store
        known = known_of(records.read(_READ))

        def save(new: Sequence[Record]) -> None:
            records.append(new, f"Fetch runs until {now:%Y-%m-%d %H:%M} UTC")
            if runs := [each for each in new if isinstance(each, RunRecord)]:
                oldest = min(each.created for each in runs)
                _say(f"kept {count_of(len(runs), 'run')}, the oldest of {oldest:%Y-%m-%d %H:%M} UTC")

        fetched = Fetching(
            history=open_run_history(opened.world, processes, budget=requests),
            known=known,
            save=save,
            now=now,
            since=now - timedelta(seconds=min(since, _LONGEST)),
        ).run()
    if as_json:
        from unmoor.cli.session import echo_json

        echo_json(fetched)
    else:
        click.echo(summary(fetched))
    for line in remarks(fetched):
        _say(line)
    return 0


def _say(text: str) -> None:
    click.echo(text, err=True)


def summary(fetched: Fetched) -> str:
    """Return how much a fetch read, on one line."""
    parts = (
        f"{count_of(fetched.runs, 'run')} with {count_of(fetched.jobs, 'job')}",
        count_of(fetched.releases, "release"),
        count_of(fetched.updates, "update"),
    )
    return f"fetched {', '.join(parts)}, in {count_of(fetched.requests, 'request')}"


def remarks(fetched: Fetched) -> list[str]:
    """Return what a fetch did not read, a line each."""
    lines = []
    if fetched.unfinished:
        lines.append(
            f"{count_of(fetched.unfinished, 'run')} not read yet, mostly not completed: the next fetch looks again"
        )
    if fetched.gone:
        lines.append(f"{count_of(fetched.gone, 'run')} deleted on the forge meanwhile")
    if fetched.unreachable:
        lines.append(f"{count_of(fetched.unreachable, 'run')} that the forge does not list: too many in one second")
    if fetched.left is not None:
        lines.append(f"stopped in time, with requests used up; left: {_left(fetched)}; the next fetch goes on there")
    return lines


def _left(fetched: Fetched) -> str:
    left = fetched.left
    assert left is not None  # noqa: S101 - the caller looked
    if left.reruns:
        return "a look at older runs that may have been started again"
    if left.until is None:
        return "all that is new of the runs"
    count = count_of(left.runs, "run") if left.exact else f"at least {count_of(left.runs, 'run')}"
    return f"{count}, created until {left.until:%Y-%m-%d %H:%M} UTC"
