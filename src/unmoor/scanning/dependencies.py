"""What the wheels of a release need, and the known vulnerabilities of that as findings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from unmoor.dists.inspect import read_metadata, read_raw_metadata
from unmoor.ports.scanner import Audit, Requirements, Vulnerability
from unmoor.products import File
from unmoor.products.scan import Level, ScanFinding


def requirements(files: Iterable[File]) -> tuple[tuple[str, Requirements], ...]:
    """Return what the wheels need, each with the name of the first wheel that needs it; most need the same.

    Raises `InvalidDist` for a wheel without metadata.
    """
    found: dict[tuple[object, ...], tuple[str, Requirements]] = {}
    for file in files:
        if not file.is_wheel:
            continue
        metadata = read_metadata(file.path)
        needs = Requirements(
            project=metadata.name,
            version=metadata.version,
            metadata=read_raw_metadata(file.path),
            extras=metadata.extras,
            python=metadata.python,
        )
        found.setdefault((tuple(sorted(metadata.requires)), metadata.extras, metadata.python), (file.name, needs))
    return tuple(found.values())


def findings_of(file: str, audit: Audit, level: Level = Level.ERROR) -> Iterator[ScanFinding]:
    """Return the vulnerabilities of a file or image, one for each that databases give several ids."""
    for each in _merged(audit.vulnerabilities):
        yield ScanFinding(
            id=each.id,
            rule=each.id,
            what=each.summary or "a known vulnerability",
            file=file,
            level=level,
            package=each.package,
            version=each.version,
            aliases=each.aliases,
            fixed=each.fixed,
            url=each.url,
        )


def _merged(found: Sequence[Vulnerability]) -> list[Vulnerability]:
    """Leave out what is another one of the same package under an alias."""
    kept: list[Vulnerability] = []
    seen: dict[tuple[str, str], set[str]] = {}
    for each in found:
        known = seen.setdefault((each.package, each.version), set())
        ids = {each.id, *each.aliases}
        if not known & ids:
            kept.append(each)
        known |= ids
    return kept
