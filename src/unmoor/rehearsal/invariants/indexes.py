"""I1: every file on an index has the sha256 that was tested, and no name was sent twice with other bytes.

Nothing of another project is ever asked of the staging index, where anybody can register the name of a dependency.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from packaging.utils import canonicalize_name

from unmoor.filesystem.files import sha256_of
from unmoor.rehearsal.invariants.effects import is_of
from unmoor.rehearsal.invariants.evidence import Finding
from unmoor.rehearsal.invariants.facts import Facts
from unmoor.rehearsal.invariants.request_log import LoggedRequest
from unmoor.rehearsal.invariants.stores import INDEX, STAGING

# A page of a project, or a file: the name of either begins with that of the project.
_OF_PROJECT: Final = re.compile(r"/(?:simple|pypi)/(?P<page>[^/]+)/.*|/packages/(?:[^/]+/)*(?P<file>[^/]+)")


def untested_bytes(facts: Facts) -> Iterator[Finding]:
    """Compare the files of the version, and everything that was sent to an index."""
    for index in (STAGING, INDEX):
        yield from _stored(facts, index)
        yield from _sent(facts, index, [each for each in facts.of_runs if each.server == index and each.file])
    yield from _of_others(facts)


def _stored(facts: Facts, index: str) -> Iterator[Finding]:
    """What the index holds of the version: by what it says, and by the bytes on its disk."""
    expected, own = facts.expected, canonicalize_name(facts.expected.project)
    for file in (
        each for project in facts.projects[index] if canonicalize_name(project.name) == own for each in project.files
    ):
        path = facts.evidence.world / index / file.path
        held = sha256_of(path) if path.is_file() else "no bytes"
        if held != file.digests.sha256:
            yield Finding(f"serves {held} as {file.name}, whose sha256 is {file.digests.sha256}", index)
        if index == INDEX and expected.taken.get(file.name) == held:
            continue
        tested = expected.files.get(file.name, "no such file")
        if (file.version == expected.version or is_of(file.name, expected)) and tested != file.digests.sha256:
            yield Finding(f"holds {file.name} with {file.digests.sha256}; tested: {tested}", index)


def _sent(facts: Facts, index: str, attempts: Sequence[LoggedRequest]) -> Iterator[Finding]:
    """What was sent: an attempt without a digest was refused before its bytes were read."""
    files = facts.expected.files
    for name in dict.fromkeys(each.file for each in attempts):
        sent = {each.sha256: each for each in attempts if each.file == name and each.sha256}
        if len(sent) > 1:
            yield Finding(f"{name} was sent with {len(sent)} different contents: {', '.join(sorted(sent))}", index)
        elif name in files and (other := next((each for each in sent if each != files[name]), None)):
            yield Finding(f"{name} was sent with {other}; tested: {files[name]}", sent[other].where)


def _of_others(facts: Facts) -> Iterator[Finding]:
    """Projects of which a run asked the staging index for a page or a file."""
    own = canonicalize_name(facts.expected.project)
    asked: dict[str, LoggedRequest] = {}
    for request in facts.of_runs:
        found = _OF_PROJECT.fullmatch(request.path) if request.server == STAGING else None
        page, file = (found["page"], found["file"]) if found else (None, None)
        if (page and canonicalize_name(page) != own) or (file and not canonicalize_name(file).startswith(f"{own}-")):
            asked.setdefault(page or file or "", request)
    for name, request in asked.items():
        yield Finding(f"{name} was asked for, which is not of the project", request.where)
