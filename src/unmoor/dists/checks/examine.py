"""Run every check on one file. Each member is read once, in chunks; only small ones are held in memory."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import IO, NamedTuple

import msgspec
from packaging.utils import canonicalize_name
from packaging.version import Version

from unmoor.dists.checks import (
    archives,
    commands,
    description,
    layout,
    licences,
    metadata,
    names,
    portable,
    sizes,
    tars,
    wheels,
    zip_end,
    zips,
)
from unmoor.dists.checks.archives import MEMBER_LIMIT, Limits
from unmoor.dists.checks.description import Render
from unmoor.dists.checks.members import ArchiveMember, DamagedMember, chunks
from unmoor.dists.checks.metadata import CheckedMetadata
from unmoor.dists.checks.open_archive import CHANGED, open_unchanged
from unmoor.dists.checks.rules import Problem, violation
from unmoor.dists.checks.wheels import Row
from unmoor.dists.inspect import FileName
from unmoor.dists.main_modules import mentions_version
from unmoor.dists.rendering import rendering_fault
from unmoor.products import File

_CHANGED = "it is not the file that was built: its bytes changed, or it is gone"


class DistFindings(msgspec.Struct, frozen=True, kw_only=True):
    """The problems of one file, its metadata and its member names.

    ``metadata`` is ``None`` and ``names`` empty if they cannot be read. The names in an sdist are relative to its
    top-level folder. ``versioned`` are the modules of a wheel whose source contains the word "version".
    """

    file: File
    problems: tuple[Problem, ...]
    metadata: CheckedMetadata | None = None
    names: frozenset[str] = frozenset()
    versioned: frozenset[str] = frozenset()


class _Contents(NamedTuple):
    """The metadata and the member names of an archive, and which modules mention a version."""

    metadata: CheckedMetadata | None = None
    names: frozenset[str] = frozenset()
    versioned: frozenset[str] = frozenset()


@dataclass
class Examiner:
    """Checks files, on any number of threads. Metadata that several files share is checked once.

    ``render`` renders descriptions, by default in this process.
    """

    limits: Limits = field(default_factory=Limits)
    render: Render = rendering_fault
    _checked: dict[bytes, CheckedMetadata] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def examine(self, file: File) -> DistFindings:
        """Check one file, if its bytes are still the recorded ones. Raises ``OSError`` only."""
        with open_unchanged(file) as stream:
            if stream is None:
                return DistFindings(file=file, problems=(violation(CHANGED, _CHANGED),))
            return self._check_stream(file, stream)

    def _check_stream(self, file: File, stream: IO[bytes]) -> DistFindings:
        problems = list(sizes.check_file(file, self.limits))
        parsed = names.check_filename(file.name, problems, accepted=self.limits.platforms)
        if parsed is None:
            return DistFindings(file=file, problems=tuple(problems))
        inside = (self._check_wheel if file.is_wheel else self._check_sdist)(file, stream, parsed, problems)
        checked = inside.metadata
        if checked is not None:
            name, version = checked.raw.get("name", ""), checked.raw.get("version", "")
            problems += [*checked.problems, *names.compare_with_metadata(file.name, parsed, name, version)]
        return DistFindings(file=file, problems=tuple(dict.fromkeys(problems)), **inside._asdict())

    def _check_metadata(self, data: bytes) -> CheckedMetadata:
        """Check metadata, or return the earlier result for the same bytes."""
        with self._lock:
            if data not in self._checked:
                checked = metadata.check_metadata(data)
                more = (
                    *licences.check_licences(checked),
                    *description.check_description(checked.raw, self.render),
                    *names.check_reserved(checked.raw.get("name", "")),
                )
                self._checked[data] = CheckedMetadata(
                    raw=checked.raw,
                    licence_files=checked.licence_files,
                    undeclared=checked.undeclared,
                    problems=(*checked.problems, *more),
                )
            return self._checked[data]

    def _check_sdist(self, file: File, stream: IO[bytes], parsed: FileName, problems: list[Problem]) -> _Contents:
        found = tars.read(stream, file.size, problems, self.limits)
        if found.top and not _is_named_after(found.top, parsed):
            problems.append(violation(tars.TOP_NAME, f"its top-level folder is called {found.top}"))
        names = frozenset(name.partition(f"{found.top}/")[2] for name in found.names)
        checked = None if found.pkg_info is None else self._check_metadata(found.pkg_info)
        audience = portable.Audience.of(parsed, checked.raw.get("classifiers", ()) if checked else ())
        problems.extend(portable.check_names(audience, names))
        problems.extend(portable.check_links(audience, found.names, found.links))
        if checked is None:
            return _Contents(names=names)
        problems.extend(licences.check_licence_files(checked, found.top, found.names))
        return _Contents(checked, names)

    def _check_wheel(self, file: File, stream: IO[bytes], parsed: FileName, problems: list[Problem]) -> _Contents:
        folder = wheels.info_folder(file.name)
        entries = zips.read_members(stream, problems)
        excess = list(archives.check_expansion(sum(entry.size for entry in entries), file.size, self.limits))
        problems.extend(excess)
        if not entries and all(problem.rule.warns for problem in problems):
            problems.extend(wheels.check_dist_info(folder, ()))
        if excess or not entries:
            return _Contents()
        wheel = _Wheel(stream, folder, {each.name: each for each in entries}, problems)
        checked = self._check_members(wheel, parsed)
        return _Contents(checked, frozenset(wheel.entries), frozenset(wheel.versioned))

    def _check_members(self, wheel: _Wheel, parsed: FileName) -> CheckedMetadata | None:
        """Read RECORD, then compare every member with it."""
        folder, problems = wheel.folder, wheel.problems
        listing = list(wheel.entries)
        problems.extend(wheels.check_dist_info(folder, listing))
        record = wheel.read(f"{folder}/RECORD")
        rows = wheels.read_record(folder, record, problems) if record is not None else None
        if rows is not None:
            problems.extend(wheels.check_record(folder, rows, listing))
        for entry in wheel.entries.values():
            wheel.verify(entry, rows or {})
        for name in wheels.shadowing_files(folder, listing):
            problems.extend(wheels.check_shadowing(name, wheel.read(name) or b""))
        if (wheel_file := wheel.read(f"{folder}/WHEEL")) is not None:
            problems.extend(wheels.check_wheel_file(wheel_file, parsed.tags))
        if (points := wheel.read(f"{folder}/entry_points.txt")) is not None:
            problems.extend(commands.check_entry_points(points))
        problems.extend(layout.check_places(folder, listing))
        text = wheel.read(f"{folder}/METADATA")
        found = None if text is None else self._check_metadata(text)
        audience = portable.Audience.of(parsed, found.raw.get("classifiers", ()) if found else ())
        problems.extend(portable.check_names(audience, listing))
        if found is None:
            return None
        problems.extend(licences.check_licence_files(found, f"{folder}/licenses", wheel.entries.keys()))
        return found


@dataclass(frozen=True)
class _Wheel:
    """An open wheel, the problems found so far, and the modules whose source contains the word "version"."""

    stream: IO[bytes]
    folder: str
    entries: Mapping[str, ArchiveMember]
    problems: list[Problem]
    versioned: list[str] = field(default_factory=list)

    def read(self, name: str) -> bytes | None:
        """Read a whole small member. Returns ``None`` if it is missing, damaged or too long."""
        entry = self.entries.get(name)
        if entry is None or not entry.readable:
            return None
        if entry.size > MEMBER_LIMIT:
            self.problems.append(violation(archives.LONG, f"{name} is longer than {MEMBER_LIMIT} bytes"))
            return None
        try:
            return b"".join(chunks(self.stream, entry))
        except DamagedMember:
            return None  # `verify` reports it

    @cached_property
    def _is_refused(self) -> bool:
        """Whether PyPI, which reads WHEEL and the source, refuses the wheel for a damaged one of them."""
        return zip_end.is_refused(self.stream)

    def verify(self, entry: ArchiveMember, rows: Mapping[str, Row]) -> None:
        """Read a member in chunks and check its checksum, its hash in RECORD, and whether source is encrypted."""
        if not entry.readable:
            return
        row = rows.get(entry.name)
        digest = wheels.hasher(row)
        source: list[bytes] | None = [] if archives.is_source(entry.name, entry.size) else None
        try:
            for piece in chunks(self.stream, entry):
                if digest is not None:
                    digest.update(piece)
                if source is not None:
                    source.append(piece)
        except DamagedMember as error:
            is_read = source is not None or entry.name == f"{self.folder}/WHEEL"
            rule = zips.DAMAGED_SOURCE if is_read and self._is_refused else zips.DAMAGED
            self.problems.append(violation(rule, str(error)))
            return
        if source is not None:
            self._check_source(entry.name, b"".join(source))
        if row is not None and digest is not None and (fault := row.fault(digest.digest(), entry.size)):
            self.problems.append(violation(wheels.HASH, f"{entry.name} {fault}"))

    def _check_source(self, name: str, text: bytes) -> None:
        if archives.may_be_encrypted(text):
            self.problems.extend(archives.check_encryption(name, text))
        if mentions_version(text):
            self.versioned.append(name)


def _is_named_after(top: str, parsed: FileName) -> bool:
    """Whether a folder is called NAME-VERSION, in any spelling of name and version."""
    name, _, version = PurePosixPath(top).name.rpartition("-")
    try:
        return canonicalize_name(name) == parsed.name and Version(version) == parsed.version
    except ValueError:  # InvalidVersion, or a number of thousands of digits
        return False
