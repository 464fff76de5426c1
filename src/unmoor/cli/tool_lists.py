"""The list of versions and hashes that jobs install unmoor from: given by the user, or compiled from the index."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from unmoor import advice
from unmoor.errors import Refused
from unmoor.filesystem.files import read_regular
from unmoor.provenance.release_workflow import LARGEST
from unmoor.workflows.comparing import DifferenceLevel
from unmoor.workflows.steps import TOOL_LIST, TOOL_PYTHON
from unmoor.workflows.tool_list import PinnedList

if TYPE_CHECKING:
    from unmoor.adapters.process.supervisor import Processes
    from unmoor.scaffold.workflow_changes import Compile


def list_compiler(tool: Path | None, processes: Processes) -> Compile:
    """Return what gives each list. ``tool`` is the file with that of unmoor itself, if the user has one.

    The function raises `Refused` for a file that is no such list, and `Incomplete` or `Unknown` if the list cannot be
    compiled.
    """

    def compile_list(pinned: PinnedList) -> str:
        if tool is not None and pinned.path == TOOL_LIST:
            compiled = _given_list(tool)
            if faults := [each for each in pinned.faults(compiled) if each.level is DifferenceLevel.ERROR]:
                raise Refused(faults[0].what, where=f"{tool}:{faults[0].line}", next_step=advice.GIVE_TOOL_LIST())
            return compiled
        from unmoor.adapters.factory import open_lists

        return open_lists(processes).compile(f"{pinned.requirement}\n", python=TOOL_PYTHON)

    return compile_list


def _given_list(tool: Path) -> str:
    try:
        return read_regular(tool, LARGEST).decode(errors="replace")
    except FileNotFoundError as error:
        raise Refused("there is no such file", where=str(tool), next_step=advice.GIVE_TOOL_LIST()) from error
