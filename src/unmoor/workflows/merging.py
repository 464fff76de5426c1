"""Put what unmoor writes and what is in a file together: jobs of others and newer pins stay as they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from unmoor import advice
from unmoor.advice import Template
from unmoor.errors import Refused
from unmoor.util.text import clean
from unmoor.workflows.comparing import pin_fault, version_in
from unmoor.workflows.pins import Pin, pin_of
from unmoor.workflows.reading import JobText, WorkflowFile, YamlMap, read_file

_USES = re.compile(
    r"^(?P<start> *(?:- )?uses: *)(?P<action>[\w./-]+)@(?P<commit>[0-9a-f]{40}) # (?P<version>\S+)$", re.MULTILINE
)


def merged(expected: WorkflowFile, found: WorkflowFile, *, is_own: Callable[[str], bool]) -> str:
    """Return the text to write: the expected one, with newer pins and the jobs of others from the file.

    Jobs of others stay byte for byte, each after the job that it stood after, if that is still there. The lines of ours
    end as the first line of the file does. Raises `Refused` if a job of others cannot stay as it is.
    """
    pins = _newer_pins(found)
    ends = "\r\n" if found.crlf else "\n"
    blocks = [_with_pins(job.text, pins).replace("\n", ends) for job in expected.jobs]
    if not blocks:
        return _with_pins(expected.text, pins).replace("\n", ends)
    names = [job.id for job in expected.jobs]
    others = _jobs_of_others(found, is_own=lambda id_: is_own(id_) or id_ in names, indent=expected.jobs[0].indent)
    before = ""
    for job in found.jobs:
        if job.id in others:
            at = names.index(before) + 1 if before else 0
            names.insert(at, job.id)
            blocks.insert(at, _apart(job, ends, first=at == 0))
        before = job.id if job.id in names else before
    head = expected.text.partition("\njobs:\n")[0].replace("\n", ends)
    body = "".join(block if block.endswith("\n") else f"{block}{ends}" for block in blocks)
    text = f"{head}{ends}jobs:{ends}{body}"
    if others:
        _require_same(text, found, others)
    return text


def _jobs_of_others(found: WorkflowFile, *, is_own: Callable[[str], bool], indent: int) -> frozenset[str]:
    """The names of the jobs that stay as they are. Raises `Refused` for one that cannot."""
    jobs = found.value.pairs.get("jobs")
    others = [id_ for id_ in jobs.pairs if not is_own(id_)] if isinstance(jobs, YamlMap) else []
    texts = {job.id: job for job in found.jobs}
    for id_ in others:
        line = jobs.lines[id_] if isinstance(jobs, YamlMap) else 1
        if id_ not in texts:
            raise _kept(found, line, f"the job {clean(id_, 60)!r} has no lines of its own", advice.PLACE_JOB)
        if texts[id_].indent != indent:
            what = f"the job {clean(id_, 60)!r} is indented by {texts[id_].indent} spaces, and not by {indent}"
            raise _kept(found, line, what, advice.PLACE_JOB)
        if texts[id_].aliases - set(others):
            what = f"the job {clean(id_, 60)!r} uses an anchor of a part of the file that is written again"
            raise _kept(found, line, what, advice.RESOLVE_ANCHORS)
    return frozenset(others)


def _kept(found: WorkflowFile, line: int, what: str, next_step: Template) -> Refused:
    return Refused(what, where=f"{found.path}:{line}", next_step=next_step())


def _require_same(text: str, found: WorkflowFile, others: frozenset[str]) -> None:
    """Raise `Refused` if a job of others would not be the same in the text to write."""
    try:
        texts = {job.id: job.text.strip() for job in read_file(found.path, text.encode()).jobs}
    except Refused:
        texts = {}
    for job in found.jobs:
        if job.id in others and texts.get(job.id) != job.text.strip():
            raise _kept(found, 1, f"the job {clean(job.id, 60)!r} cannot stay as it is beside ours", advice.PLACE_JOB)


def _apart(job: JobText, ends: str, *, first: bool) -> str:
    """The lines of a job, with a blank line before it unless it is the first one."""
    return job.text if first or job.text.startswith(("\n", "\r\n")) else f"{ends}{job.text}"


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
