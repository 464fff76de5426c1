"""One file, looked at from every side: each member is read once, in pieces, and nothing is held whole."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import IO, NamedTuple

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from unmoor.dists import inspect
from unmoor.dists.checks import archives, description, licences, metadata, names, sizes, tars, wheels, zips
from unmoor.dists.checks.archives import KEPT_LIMIT, Limits
from unmoor.dists.checks.members import ArchiveMember, Damaged, pieces
from unmoor.dists.checks.metadata import CheckedMetadata
from unmoor.dists.checks.open_archive import CHANGED, opened
from unmoor.dists.checks.rules import Problem, broken
from unmoor.dists.checks.wheels import Row
from unmoor.dists.inspect import FileName
from unmoor.errors import InvalidDist
from unmoor.products import File

_CHANGED = "it is not the file that was built: its bytes were changed, or it is gone"


@dataclass(frozen=True, kw_only=True)
class DistFindings:
    """What was found in one file; ``metadata`` is ``None`` where none could be read.

    ``names`` are those of what is inside, for an sdist below its folder; none where it could not be read.
    """

    file: File
    problems: tuple[Problem, ...]
    metadata: CheckedMetadata | None = None
    names: frozenset[str] = frozenset()


class _Inside(NamedTuple):
    """What an archive says of itself and holds."""

    said: CheckedMetadata | None = None
    names: frozenset[str] = frozenset()


@dataclass
class Examiner:
    """Looks at files, on any number of threads; the same metadata in many files is judged once."""

    limits: Limits = field(default_factory=Limits)
    _judged: dict[bytes, CheckedMetadata] = field(default_factory=dict)
    _judging: threading.Lock = field(default_factory=threading.Lock)

    def examine(self, file: File) -> DistFindings:
        """Look at one file, if its bytes are still the recorded ones. Raises only what the disk raises."""
        with opened(file) as stream:
            if stream is None:
                return DistFindings(file=file, problems=(broken(CHANGED, _CHANGED),))
            return self._examine(file, stream)

    def _examine(self, file: File, stream: IO[bytes]) -> DistFindings:
        problems = list(sizes.of_file(file, self.limits))
        named = names.parsed(file.name, problems, any_platform=self.limits.any_platform)
        if named is None:
            return DistFindings(file=file, problems=tuple(problems))
        said, inside = (self._wheel if file.is_wheel else self._sdist)(file, stream, named, problems)
        if said is not None:
            name, version = said.raw.get("name", ""), said.raw.get("version", "")
            problems += [*said.problems, *names.compared(file.name, named, name, version)]
        return DistFindings(file=file, problems=tuple(dict.fromkeys(problems)), metadata=said, names=inside)

    def _say(self, data: bytes) -> CheckedMetadata:
        """Judge metadata, or remember what was judged of the same bytes."""
        with self._judging:
            if data not in self._judged:
                said = metadata.check_metadata(data)
                more = (
                    *licences.examined(said),
                    *description.examined(said.raw),
                    *names.reserved(said.raw.get("name", "")),
                )
                self._judged[data] = CheckedMetadata(
                    raw=said.raw,
                    licence_files=said.licence_files,
                    undeclared=said.undeclared,
                    problems=(*said.problems, *more),
                )
            return self._judged[data]

    def _sdist(self, file: File, stream: IO[bytes], named: FileName, problems: list[Problem]) -> _Inside:
        found = tars.read(stream, file.size, problems, self.limits)
        if found.top and not _is_called(found.top, named):
            problems.append(broken(tars.TOP_NAME, f"its folder is called {found.top}"))
        names = frozenset(name.partition(f"{found.top}/")[2] for name in found.names)
        if found.pkg_info is None:
            return _Inside(names=names)
        said = self._say(found.pkg_info)
        problems.extend(licences.missing(said, found.top, found.names))
        return _Inside(said, names)

    def _wheel(self, file: File, stream: IO[bytes], named: FileName, problems: list[Problem]) -> _Inside:
        folder = wheels.info_folder(file.name)
        entries = zips.entries(stream, problems)
        excess = list(archives.expansion(sum(entry.size for entry in entries), file.size, self.limits))
        problems.extend(excess)
        if not entries and all(problem.rule.warns for problem in problems):
            problems.extend(wheels.owed(folder, ()))
        if excess or not entries:
            return _Inside()
        said = self._members(_Wheel(stream, folder, {each.name: each for each in entries}, problems), named)
        return _Inside(said, frozenset(each.name for each in entries))

    def _members(self, wheel: _Wheel, named: FileName) -> CheckedMetadata | None:
        """Read RECORD, then every member against it."""
        folder, problems = wheel.folder, wheel.problems
        listing = list(wheel.entries)
        problems.extend(wheels.owed(folder, listing))
        listed = wheel.read(f"{folder}/RECORD")
        rows = wheels.record(folder, listed, problems) if listed is not None else {}
        if rows:
            problems.extend(wheels.recorded(folder, rows, listing))
        for entry in wheel.entries.values():
            wheel.verify(entry, rows)
        for name in wheels.shadows(folder, listing):
            problems.extend(wheels.shadowed(name, wheel.read(name) or b""))
        if (said := wheel.read(f"{folder}/WHEEL")) is not None:
            problems.extend(wheels.declared(said, named.tags))
        if (points := wheel.read(f"{folder}/entry_points.txt")) is not None:
            problems.extend(_points(points))
        text = wheel.read(f"{folder}/METADATA")
        if text is None:
            return None
        found = self._say(text)
        problems.extend(licences.missing(found, f"{folder}/licenses", wheel.entries.keys()))
        return found


@dataclass(frozen=True)
class _Wheel:
    """An open wheel, and what was found wrong with it so far."""

    stream: IO[bytes]
    folder: str
    entries: Mapping[str, ArchiveMember]
    problems: list[Problem]

    def read(self, name: str) -> bytes | None:
        """Read a small member whole; ``None`` where it is not there, is damaged or is too long."""
        entry = self.entries.get(name)
        if entry is None:
            return None
        if entry.size > KEPT_LIMIT:
            self.problems.append(broken(zips.DAMAGED, f"{name} is longer than {KEPT_LIMIT} bytes"))
            return None
        try:
            return b"".join(pieces(self.stream, entry))
        except Damaged:
            return None  # `verify` says it

    def verify(self, entry: ArchiveMember, rows: Mapping[str, Row]) -> None:
        """Read a member in pieces: its checksum, its hash in RECORD, and for source whether it was encrypted."""
        row = rows.get(entry.name)
        digest = wheels.hasher(row)
        source: list[bytes] | None = [] if archives.is_source(entry.name, entry.size) else None
        try:
            for piece in pieces(self.stream, entry):
                if digest is not None:
                    digest.update(piece)
                if source is not None:
                    source.append(piece)
        except Damaged as error:
            self.problems.append(broken(zips.DAMAGED, str(error)))
            return
        if source is not None and archives.is_suspicious(text := b"".join(source)):
            self.problems.extend(archives.encrypted(entry.name, text))
        if row is not None and digest is not None and (fault := row.fault(digest.digest(), entry.size)):
            self.problems.append(broken(wheels.HASH, f"{entry.name} {fault}"))


def _points(data: bytes) -> Sequence[Problem]:
    """Judge the bytes of entry_points.txt."""
    try:
        points = inspect.parse_entry_points(data)
    except InvalidDist as error:
        return [broken(wheels.POINTS, error.what)]
    return list(wheels.impossible(points))


def _is_called(top: str, named: FileName) -> bool:
    """Whether a folder is called NAME-VERSION, in any spelling of the two."""
    name, _, version = PurePosixPath(top).name.rpartition("-")
    try:
        return canonicalize_name(name) == named.name and Version(version) == named.version
    except InvalidVersion:
        return False
