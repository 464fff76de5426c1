"""Start CI on a proposed branch, since a pull request that a workflow's token opens starts none."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

import msgspec

from unmoor.errors import Denied, Refused, Rejected
from unmoor.ports.workflow_runs import WorkflowRuns
from unmoor.util.text import clean, list_some
from unmoor.workflows.reading import YamlList, YamlMap, YamlText, YamlValue, read_file

BY_ITSELF = "starts by itself, unless the token is a workflow's"
_PULLS = frozenset({"pull_request"})
_DISPATCH = "workflow_dispatch"


class Startable(msgspec.Struct, frozen=True, kw_only=True):
    """The workflows that run for pull requests: those that can be dispatched, and those that cannot."""

    can: tuple[str, ...]
    cannot: tuple[str, ...]


def find_startable(files: Mapping[str, bytes]) -> Startable:
    """Choose among workflow files. One that cannot be read starts nothing either."""
    can: list[str] = []
    cannot: list[str] = []
    for path, data in sorted(files.items()):
        try:
            events = _names(read_file(path, data).value.pairs.get("on"))
        except Refused:
            continue
        if events & _PULLS:
            (can if _DISPATCH in events else cannot).append(PurePosixPath(path).name)
    return Startable(can=tuple(can), cannot=tuple(cannot))


def _names(value: YamlValue | None) -> frozenset[str]:
    if isinstance(value, YamlMap):
        return frozenset(value.pairs)
    if isinstance(value, YamlList):
        return frozenset(each.text for each in value.items if isinstance(each, YamlText))
    return frozenset({value.text}) if isinstance(value, YamlText) else frozenset()


def start(runs: WorkflowRuns, found: Startable, branch: str) -> str:
    """Dispatch what can be, and say what happened. Raises `Unknown`."""
    parts: list[str] = []
    started: list[str] = []
    for name in found.can:
        try:
            runs.dispatch(name, branch)
        except (Denied, Rejected) as error:
            parts.append(f"{name} could not be dispatched: {clean(error.what, 200)}")
        else:
            started.append(name)
    if started:
        parts.insert(0, f"dispatched {list_some(started)}")
    if found.cannot:
        parts.append(f"{list_some(found.cannot)} cannot be dispatched, for want of workflow_dispatch")
    if not started:
        parts.append("to start CI, close and reopen the pull request")
    return "; ".join(parts)
