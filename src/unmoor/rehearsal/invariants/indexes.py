"""I1: every file on an index has the sha256 that was tested, and no name was sent twice with other bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from packaging.utils import canonicalize_name

from unmoor.filesystem.files import sha256_of
from unmoor.rehearsal.invariants.evidence import Evidence, Violation
from unmoor.rehearsal.invariants.request_log import LoggedRequest
from unmoor.rehearsal.invariants.stores import IndexFile, read_index

INDEXES = ("pypi", "testpypi")


def untested_bytes(evidence: Evidence, log: Sequence[LoggedRequest]) -> Iterator[Violation]:
    """Compare the files of the version, and everything that was sent to an index."""
    for index in INDEXES:
        yield from _stored(evidence, index)
        yield from _sent(evidence, index, [each for each in log if each.server == index and each.file])


def _stored(evidence: Evidence, index: str) -> Iterator[Violation]:
    """What the index holds of the version: by what it says, and by the bytes on its disk."""
    expected = evidence.expected
    for project in read_index(evidence.world / index):
        if canonicalize_name(project.name) != canonicalize_name(expected.project):
            continue
        for file in project.files:
            path = evidence.world / index / file.path
            held = sha256_of(path) if path.is_file() else "no bytes"
            if held != file.digests.sha256:
                yield _violation(f"serves {held} as {file.name}, whose sha256 is {file.digests.sha256}", index)
            if file.version == expected.version and not _is_tested(evidence, file):
                tested = expected.files.get(file.name, "no such file")
                yield _violation(f"holds {file.name} with {file.digests.sha256}; tested: {tested}", index)


def _is_tested(evidence: Evidence, file: IndexFile) -> bool:
    return evidence.expected.files.get(file.name) == file.digests.sha256


def _sent(evidence: Evidence, index: str, attempts: Sequence[LoggedRequest]) -> Iterator[Violation]:
    """What was sent: an attempt without a digest was refused before its bytes were read."""
    files = evidence.expected.files
    for name in dict.fromkeys(each.file for each in attempts):
        sent = {each.sha256: each for each in attempts if each.file == name and each.sha256}
        if len(sent) > 1:
            yield _violation(f"{name} was sent with {len(sent)} different contents: {', '.join(sorted(sent))}", index)
        elif name in files and (other := next((each for each in sent if each != files[name]), None)):
            yield _violation(f"{name} was sent with {other}; tested: {files[name]}", sent[other].where)


def _violation(what: str, where: str) -> Violation:
    return Violation(invariant="I1", what=what, where=where)
