"""Put what unmoor writes and what is in a file together: jobs of others and newer pins stay as they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from unmoor import advice
from unmoor.errors import Refused
from unmoor.util.text import clean
from unmoor.workflows.comparing import pin_fault, version_in
from unmoor.workflows.pins import Pin, pin_of
from unmoor.workflows.reading import JobText, WorkflowFile

_USES = re.compile(
    r"^(?P<start> *(?:- )?uses: *)(?P<action>[\w./-]+)@(?P<commit>[0-9a-f]{40}) # (?P<version>\S+)$", re.MULTILINE
)


def merged(expected: WorkflowFile, found: WorkflowFile, *, is_own: Callable[[str], bool]) -> str:
    """Return the text to write, with LF: the expected one, with newer pins and the jobs of others from the file.

    Jobs of others stay byte for byte, each after the job that it stood after, if that is still there. Raises `Refused`
    if one of them uses an anchor that is outside of it.
    """
    pins = _newer_pins(found)
    blocks = [_with_pins(job.text, pins) for job in expected.jobs]
    names = [job.id for job in expected.jobs]
    before = ""
    for job in found.jobs:
        if not is_own(job.id) and job.id not in names:
            if job.uses_others:
                raise Refused(
                    f"the job {clean(job.id, 60)!r} uses an anchor of another part of the file, which is written anew",
                    where=found.path,
                    next_step=advice.RESOLVE_ANCHORS(),
                )
            at = names.index(before) + 1 if before in names else len(names) if before else 0
            names.insert(at, job.id)
            blocks.insert(at, _apart(job, first=at == 0))
        before = job.id
    head = expected.text.partition("\njobs:\n")[0] if expected.jobs else _with_pins(expected.text, pins)
    if not expected.jobs:
        return head
    body = "".join(block if block.endswith("\n") else f"{block}\n" for block in blocks)
    return f"{head}\njobs:\n{body}"


def _apart(job: JobText, *, first: bool) -> str:
    """The lines of a job, with a blank line before it unless it is the first one."""
    return job.text if first or job.text.startswith("\n") else f"\n{job.text}"


def _newer_pins(found: WorkflowFile) -> Mapping[str, Pin]:
    """The pins of a file that are newer than ours, by the name of the action."""
    newer: dict[str, Pin] = {}
    for match in _USES.finditer(found.text):
        action, pin = match["action"], Pin(match["commit"], match["version"])
        try:
            ours = newer.get(action) or pin_of(action)
        except (KeyError, ValueError):
            continue
        fault = pin_fault(ours, pin.commit, pin.version)
        is_newer = fault is None or fault.level != "error"
        if version_in(pin.version) is not None and pin.commit != ours.commit and is_newer:
            newer[action] = pin
    return newer


def _with_pins(text: str, pins: Mapping[str, Pin]) -> str:
    def replaced(match: re.Match[str]) -> str:
        pin = pins.get(match["action"])
        return f"{match['start']}{match['action']}@{pin.commit} # {pin.version}" if pin else match[0]

    return _USES.sub(replaced, text)
