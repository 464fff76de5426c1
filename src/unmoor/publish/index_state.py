"""What an index holds of a release, compared by hash, never by file name alone."""

from __future__ import annotations

from collections.abc import Sequence

from unmoor.errors import Conflict, Unknown
from unmoor.ports.index import Holding, Index
from unmoor.products import Dists, File, Release, Subject, Uploaded
from unmoor.publish.file_comparison import FileComparison, Match


def split_missing(
    index: Index, project: str, version: str, files: Sequence[File]
) -> tuple[tuple[File, ...], tuple[File, ...]]:
    """Split files by whether the index holds them, by hash: (present, absent), each in the order given.

    The JSON API or the simple index is enough, since the simple index may be stale. Raises `Conflict` if
    a name holds other bytes or the version has a file that is not of this release, `Unknown` if the index
    gives no hash or cannot be read.
    """
    return split_holding(index, index.holding(project, version), files)


def split_holding(index: Index, holding: Holding, files: Sequence[File]) -> tuple[tuple[File, ...], tuple[File, ...]]:
    """Split files as `split_missing` does, by what the index already answered. Raises the same errors."""
    if foreign := sorted(holding.names - {file.name for file in files}):
        raise Conflict(
            f"{index.name} holds files of this version that are not of this release: {', '.join(foreign)}",
            where=index.name,
            next_step="find out who uploaded them; if they do not belong there, release under a new version",
        )
    present = tuple(file for file in files if _is_present(index, holding, file))
    return present, tuple(file for file in files if file not in present)


def _is_present(index: Index, holding: Holding, file: File) -> bool:
    """Whether the index holds exactly this file. Raises `Conflict`, `Unknown`."""
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
            f"{index.name} lists {file.name} without a sha256: cannot determine whether it is the same file",
            where=where,
            next_step="the files are too large to fetch and hash: compare by hand, or use an index that gives hashes",
            retryable=False,
        )
    return compared.match is Match.SAME


def compare_listed(holding: Holding, name: str, expected: str) -> FileComparison:
    """Compare one file by its sha256. The JSON API and the simple index must agree, as far as they give a hash."""
    entries = [source[name] for source in (holding.json, holding.simple) if source and name in source]
    if not entries:
        return FileComparison(match=Match.ABSENT, expected=expected, reason="not there")
    digests = {source.sha256 for source in entries if source.sha256}
    if not digests:
        return FileComparison(match=Match.UNKNOWN, expected=expected, reason="there, but the index gives no sha256")
    if other := sorted(digests - {expected}):
        return FileComparison(match=Match.DIFFERENT, expected=expected, seen=other[0], reason="other bytes")
    return FileComparison(match=Match.SAME, expected=expected, seen=expected)


def uploaded_product(index: Index, files: Sequence[File]) -> Uploaded:
    """The product for files that the index was found to hold."""
    return Uploaded(index=index.name, files=tuple(Subject(name=file.name, sha256=file.sha256) for file in files))


def find_uploaded(index: Index, release: Release, dists: Dists) -> Uploaded | None:
    """The product if the index holds every file, by hash, else ``None``. Raises what `split_missing` raises."""
    _, absent = split_missing(index, release.project, release.version, dists.files)
    return None if absent else uploaded_product(index, dists.files)
