"""Parse the forge's list of workflow runs. An invalid answer is `Unknown`."""

from __future__ import annotations

from typing import Any

import msgspec

from unmoor.adapters.github.answers import converted
from unmoor.ports.forge import ForgeRun
from unmoor.util.text import clean


class _Run(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    status: str
    html_url: str
    name: str | None = None
    head_branch: str | None = None


class _Runs(msgspec.Struct, frozen=True, kw_only=True):
    total_count: int
    workflow_runs: tuple[_Run, ...]


class RunsPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of workflow runs: the active ones, how many runs it has, and how many the list has."""

    active: tuple[ForgeRun, ...]
    count: int
    total: int


def read_page(raw: Any, tag: str, *, where: str) -> RunsPage:
    """Read a page of ``GET /repos/{owner}/{repo}/actions/runs``. Runs of anything but the tag do not count as active.

    Every status but ``completed`` is active. Raises `Unknown`.
    """
    page = converted(raw, _Runs, "a list of workflow runs", where)
    active = tuple(
        ForgeRun(id=each.id, name=clean(each.name or "", 100), status=clean(each.status, 60), url=clean(each.html_url))
        for each in page.workflow_runs
        if each.status != "completed" and each.head_branch in {tag, None}
    )
    return RunsPage(active=active, count=len(page.workflow_runs), total=page.total_count)
