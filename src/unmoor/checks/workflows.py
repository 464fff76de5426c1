"""The workflows that unmoor wrote, compared with what it would write now; see `unmoor.workflows.comparing`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from unmoor import advice
from unmoor._version import __version__
from unmoor.checks.model import CheckContext, CheckGroup, CheckLevel, CheckProblem, RepositoryCheck, skip
from unmoor.project import read_facts
from unmoor.util.text import clean

_FILES: Final = frozenset(
    {"pyproject.toml", "setup.cfg", "setup.py", "tox.ini", "noxfile.py", "unmoor.toml", "uv.lock"}
)


def _run(context: CheckContext) -> Iterator[CheckProblem]:
    if not any(map(_may_be_ours, map(context.top.read, filter(_is_written, context.top.names)))):
        skip("unmoor wrote none of the workflows")
    if context.staged and not any(map(_matters, context.source.changed(context.head))):
        skip("none of the staged files matters to workflows")
    # They build every workflow, which most repositories do not need.
    from unmoor.workflows.comparing import DifferenceLevel
    from unmoor.workflows.differences import differences
    from unmoor.workflows.every import ours_of
    from unmoor.workflows.facts import read_facts as read_workflow_facts
    from unmoor.workflows.tool_list import lists_of, pinned_version

    read, settings = context.top.read, context.settings
    facts = read_workflow_facts(
        context.files,
        settings,
        project=settings.project or read_facts(context.files.read).name,
        path=context.path,
        default_branch=context.default_branch() or "main",
        top=context.top,
    )
    ours = ours_of(facts, read)
    if not ours:
        skip("unmoor wrote none of the workflows")
    lists = lists_of(tool_version=__version__, builds_wheels=bool(facts.wheels), extras=facts.extras)
    if settings.workflows.tool == "checkout":
        lists = ()
    # What another version wrote may differ without being wrong.
    written_by = pinned_version(lists[0], read(lists[0].path)) if lists else __version__
    is_other = written_by not in {None, __version__}
    note = f" (this is unmoor {__version__}, and {clean(str(written_by), 40)} runs there)" if is_other else ""
    for each in differences(ours, lists, read):
        is_warning = is_other or each.level is DifferenceLevel.WARNING
        yield CheckProblem(
            what=f"{clean(each.place)}: {clean(each.what)}{note}",
            where=each.file,
            line=each.line,
            level=CheckLevel.WARNING if is_warning else None,
            next_step=advice.WRITE_WORKFLOWS(),
        )


def _is_written(path: str) -> bool:
    """Whether unmoor writes a file of this name, for some project."""
    return path.startswith(".github/") and path.endswith((".yml", ".yaml"))


def _may_be_ours(data: bytes | None) -> bool:
    """Whether the first line names unmoor. What that line is, `unmoor.workflows.reading` knows."""
    return b"unmoor" in (data or b"").partition(b"\n")[0]


def _matters(path: str) -> bool:
    """Whether workflows may depend on a file: one of a project itself, or below ``.github``."""
    folder, _, name = path.rpartition("/")
    return path.startswith(".github/") or name.startswith("Dockerfile") or name in _FILES or not folder


CHECK = RepositoryCheck(
    id="workflows",
    group=CheckGroup.FAST,
    level=CheckLevel.CRITICAL,
    title="The workflows that unmoor wrote are as this version would write them, as `unmoor workflows check` compares",
    reads=".github/, and what the workflows depend on; with `--staged` only if one of those is among the staged files",
    remedy="write them again: `unmoor workflows write`. What another version of unmoor wrote is only a warning",
    run=_run,
)
