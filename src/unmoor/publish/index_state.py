"""What an index holds of a release, compared by hash, never by file name alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from unmoor import advice
from unmoor.advice import join
from unmoor.errors import Conflict, Denied, Unknown
from unmoor.ports.index import Holding, Index
from unmoor.products import Dists, File, Release, Subject, Uploaded
from unmoor.publish.file_comparison import FileComparison, Match

_NEXT = "release the next version"
_SKIP = "leave the staging index out: --skip testpypi"


def require_own_names(
    release: Release, files: Sequence[File], *, index: Index | None, staging: Index | None, part: bool
) -> tuple[Denied | Unknown, ...]:
    """Check that no index holds another file of this version. With ``part``, only under the names of these files.

    Return why an index could not be read, the production index first. Raises `Conflict` with the files of both, one on
    a line.
    """
    conflicts: list[Conflict] = []
    unread: list[Denied | Unknown] = []
    for each, instead in ((index, _NEXT), (staging, _SKIP)):
        if each is None:
            continue
        try:
            split_missing(each, release.project, release.version, files, part=part, instead=instead)
        except Conflict as error:
            conflicts.append(error)
        except (Denied, Unknown) as error:
            unread.append(error)
    if conflicts:
        first, *others = conflicts
        raise first.amended(also="\n".join(error.what for error in others)) if others else first
    return tuple(unread)


def split_missing(
    index: Index, project: str, version: str, files: Sequence[File], *, part: bool = False, instead: str = _NEXT
) -> tuple[tuple[File, ...], tuple[File, ...]]:
    """Split files by whether the index holds them, by hash: (present, absent), each in the order given.

    The JSON API or the simple index is enough, since the simple index may be stale. With ``part``, the release may
    have more files than these. ``instead`` is what to do if these files cannot go there. Raises `Conflict` if names
    hold other bytes or the version has files that are not of this release, `Unknown` if the index gives no hash or
    cannot be read.
    """
    return split_holding(index, index.holding(project, version), files, part=part, instead=instead)


def split_holding(
    index: Index, holding: Holding, files: Sequence[File], *, part: bool = False, instead: str = _NEXT
) -> tuple[tuple[File, ...], tuple[File, ...]]:
    """Split files as `split_missing` does, by what the index already answered. Raises the same errors."""
    compared = {file: compare_listed(holding, file.name, file.sha256) for file in files}
    other = {file.name: result for file, result in compared.items() if result.match is Match.DIFFERENT}
    foreign = [] if part else sorted(holding.names - {file.name for file in files})
    if other or foreign:
        raise _conflict(index, holding, other, foreign, instead)
    for file, result in compared.items():
        if result.match is Match.UNKNOWN:
            raise Unknown(
                f"{index.name} lists {file.name} without a sha256: cannot determine whether it is the same file",
                where=_address(index, holding, file.name),
                next_step=advice.COMPARE_BY_HAND(),
                retryable=False,
            )
    present = tuple(file for file, result in compared.items() if result.match is Match.SAME)
    return present, tuple(file for file in files if file not in present)


def _conflict(
    index: Index, holding: Holding, other: Mapping[str, FileComparison], foreign: Sequence[str], instead: str
) -> Conflict:
    """The error for files that are not of this release, one on a line."""
    lines = [
        f"{index.name} holds other bytes as {name}: sha256 {result.seen} there, {result.expected} here"
        for name, result in other.items()
    ]
    lines += [f"{index.name} holds {name}, which is not of this release" for name in foreign]
    steps = []
    if other:
        steps.append(advice.CONTINUE_WITH_FIRST_FILES(instead=instead))
    if foreign:
        steps.append(advice.FIND_WHO_UPLOADED_OTHERS(instead=instead))
    alone = [*other, *foreign]
    return Conflict(
        "\n".join(lines),
        where=_address(index, holding, alone[0]) if len(alone) == 1 else index.name,
        next_step=join(steps),
    )


def _address(index: Index, holding: Holding, name: str) -> str:
    listed = holding.listed(name)
    return (listed.url if listed else "") or index.name


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
