"""What an index holds of a release: by hash, never by the name of a file."""

from __future__ import annotations

from collections.abc import Sequence

from unmoor.errors import Conflict, Unknown
from unmoor.ports.index import Holding, Index
from unmoor.products import Dists, File, Release, Subject, Uploaded
from unmoor.publish.file_comparison import FileComparison, Match


def split_missing(
    index: Index, project: str, version: str, files: Sequence[File]
) -> tuple[tuple[File, ...], tuple[File, ...]]:
    """Which of the files the index holds, by hash, and which it does not: (present, absent), in the order given.

    Either voice of the index is enough: the simple index may be stale. Raises `Conflict` where a
    name holds other bytes or the version has a file that nobody tested, `Unknown` where the index
    gives no hash or cannot be read.
    """
    return split_holding(index, index.holding(project, version), files)


def split_holding(index: Index, holding: Holding, files: Sequence[File]) -> tuple[tuple[File, ...], tuple[File, ...]]:
    """Take an answer of the index apart as `split_missing` does, and raise what it raises."""
    if strange := sorted(holding.names - {file.name for file in files}):
        raise Conflict(
            f"{index.name} holds files of this version that are not of this release: {', '.join(strange)}",
            where=index.name,
            next_step="find out who uploaded them; if they do not belong there, release under a new version",
        )
    present = tuple(file for file in files if _is_in(index, holding, file))
    return present, tuple(file for file in files if file not in present)


def _is_in(index: Index, holding: Holding, file: File) -> bool:
    """Whether the index holds the very file. Raises `Conflict`, `Unknown`."""
    compared = compare_listed(holding, file.name, file.sha256)
    listed = holding.listed(file.name)
    where = listed.url if listed else index.name
    if compared.match is Match.DIFFERENT:
        raise Conflict(
            f"{index.name} holds other bytes as {file.name}: sha256 {compared.seen} there, {file.sha256} here",
            where=where,
            next_step="release under a new version; or, if another run released this tag, remove .unmoor/TAG here",
        )
    if compared.match is Match.UNKNOWN:
        raise Unknown(
            f"{index.name} lists {file.name} without a sha256: whether these are the same bytes cannot be known",
            where=where,
            next_step="there is too much to be fetched and hashed: compare by hand, or use an index that gives hashes",
            retryable=False,
        )
    return compared.match is Match.SAME


def compare_listed(holding: Holding, name: str, expected: str) -> FileComparison:
    """Compare one file by its sha256: each voice that knows it and gives a hash must say the same."""
    voices = [voice[name] for voice in (holding.json, holding.simple) if voice and name in voice]
    if not voices:
        return FileComparison(match=Match.ABSENT, expected=expected, reason="not there")
    digests = {voice.sha256 for voice in voices if voice.sha256}
    if not digests:
        return FileComparison(match=Match.UNKNOWN, expected=expected, reason="there, but the index gives no sha256")
    if other := sorted(digests - {expected}):
        return FileComparison(match=Match.DIFFERENT, expected=expected, seen=other[0], reason="other bytes")
    return FileComparison(match=Match.SAME, expected=expected, seen=expected)


def uploaded(index: Index, files: Sequence[File]) -> Uploaded:
    """The product: what the index was seen to hold."""
    return Uploaded(index=index.name, files=tuple(Subject(name=file.name, sha256=file.sha256) for file in files))


def find_uploaded(index: Index, release: Release, dists: Dists) -> Uploaded | None:
    """The product if the index holds every file, by its hash, else ``None``. Raises as `split_missing` does."""
    _, absent = split_missing(index, release.project, release.version, dists.files)
    return None if absent else uploaded(index, dists.files)
