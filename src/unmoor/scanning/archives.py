"""Search the members of wheels and sdists for secrets. Members are read in chunks, within the limits of an index."""

from __future__ import annotations

import gzip
import os
import re
import tarfile
from collections.abc import Iterable, Iterator
from typing import IO

from unmoor.dists.checks.archives import CHUNK, COUNT_LIMIT, Limits
from unmoor.dists.checks.members import DamagedMember, chunks
from unmoor.dists.checks.open_archive import open_unchanged
from unmoor.dists.checks.zips import read_members
from unmoor.dists.malformed import MALFORMED, BoundedHeader, is_malformed, require_size
from unmoor.products import File
from unmoor.products.scan import Level, ScanFinding
from unmoor.scanning.secrets import RULES, find_secrets
from unmoor.util.text import clean

# Files that only a test suite or a manual reads: a key there is made for it.
_SAMPLES = re.compile(
    r"(?:^|/)(?:_?tests?|testing|test_?data|fixtures?|examples?|samples?|docs?|vectors|mocks?)/"
    r"|(?:^|/)(?:test_[^/]*|[^/]*_test\.[^/]*|conftest\.py)$",
    re.IGNORECASE,
)


class Unscannable(Exception):
    """A file cannot be read to its end; the message says why."""


def scan_file(file: File, limits: Limits = Limits()) -> Iterator[ScanFinding]:  # noqa: B008 - frozen
    """Find the secrets in a built file. Raises `Unscannable`."""
    with open_unchanged(file) as stream:
        if stream is None:
            raise Unscannable("it is not the file that was built: its bytes changed, or it is gone")
        members = _wheel if file.is_wheel else _sdist
        try:
            for name, content in members(stream, file, limits):
                yield from _scan_member(file, name, content)
        except DamagedMember as error:
            raise Unscannable(clean(str(error))) from error
        except MALFORMED as error:
            if not is_malformed(error):
                raise
            raise Unscannable(clean(str(error)) or type(error).__name__) from error


def _scan_member(file: File, name: str, content: Iterable[bytes]) -> Iterator[ScanFinding]:
    seen: set[str] = set()
    for match in find_secrets(content):
        if match.rule in seen:
            continue  # one finding for each rule and file, as ids name them
        seen.add(match.rule)
        rule = RULES[match.rule]
        sample = rule.key and _SAMPLES.search(name) is not None
        yield ScanFinding(
            id=f"{rule.name}:{name}",
            rule=rule.name,
            what=rule.what,
            file=file.name,
            path=name,
            line=match.line,
            level=Level.NOTE if sample else Level.ERROR,
        )


def _wheel(stream: IO[bytes], file: File, limits: Limits) -> Iterator[tuple[str, Iterable[bytes]]]:
    members = read_members(stream, [])
    if not members:
        raise Unscannable("it is not a readable ZIP archive")
    _require_limits(sum(each.size for each in members), file, limits)
    for each in members:
        if not each.readable:
            raise Unscannable(f"{clean(each.name)} is encrypted, or packed by an unknown method")
        if each.size:
            yield each.name, chunks(stream, each)


def _sdist(stream: IO[bytes], file: File, limits: Limits) -> Iterator[tuple[str, Iterable[bytes]]]:
    total = 0
    stream.seek(0, os.SEEK_SET)
    with (
        gzip.GzipFile(fileobj=stream) as unpacked,
        tarfile.open(fileobj=unpacked, mode="r:", tarinfo=BoundedHeader) as archive,
    ):
        count = 0
        while (member := archive.next()) is not None:
            # tarfile keeps every member in memory unless this list is emptied.
            archive.members.clear()  # type: ignore[attr-defined]  # missing from the stub
            count += 1
            if count > COUNT_LIMIT:
                raise Unscannable(f"it has more than {COUNT_LIMIT} members")
            total += require_size(member).size
            _require_limits(total, file, limits)
            content = archive.extractfile(member) if member.isreg() else None
            if content is not None:
                yield member.name.removeprefix("./").partition("/")[2], _read(content)


def _read(content: IO[bytes]) -> Iterator[bytes]:
    while chunk := content.read(CHUNK):
        yield chunk


def _require_limits(unpacked: int, file: File, limits: Limits) -> None:
    if unpacked > limits.total or (unpacked > limits.ratio_from and unpacked > limits.ratio * file.size):
        raise Unscannable(f"it unpacks to more than {limits.ratio} times its size")
