"""Scan built files: for secrets on this machine, and meanwhile for the vulnerabilities that a service knows."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date

from unmoor import advice
from unmoor.config.scan import ScanSettings
from unmoor.errors import Interrupted, Unknown, UnmoorError, Unsafe
from unmoor.ports.scanner import DependencyScanner
from unmoor.products import File
from unmoor.products.scan import Level, ScanFinding, Scanned, Unscanned
from unmoor.scanning.archives import Unscannable, scan_file
from unmoor.scanning.dependencies import findings_of, requirements
from unmoor.scanning.judge import Kinds, ignore_warnings, judge, lines_of, next_step, stopping

ADVISORY_PATIENCE, REQUIRED_PATIENCE = 20.0, 120.0
"""Seconds for a scan for vulnerabilities: nobody waits long for advice."""

_THREADS = min(4, os.cpu_count() or 1)
_WITHOUT_SERVICE = "vulnerabilities (this world has no service to ask)"


def scan(files: Sequence[File], options: ScanSettings, scanner: DependencyScanner | None, day: date) -> Scanned:
    """Scan built files for everything that the settings do not turn off, and judge what is found.

    Never raises an `UnmoorError` for a scan that fails: the result says so.
    """
    with ThreadPoolExecutor(1, "scan") as beside:
        known: Future[Scanned] = beside.submit(_vulnerabilities, files, options, scanner)
        secrets = _secrets(files) if options.secrets != "off" else Scanned()
        vulnerabilities = known.result()
    both = (secrets, vulnerabilities)
    return judge(
        Scanned(
            findings=tuple(each for one in both for each in one.findings),
            files=tuple(file.name for file in files),
            packages=vulnerabilities.packages,
            notes=vulnerabilities.notes,
            unknown=tuple(each for one in both for each in one.unknown),
            skipped=vulnerabilities.skipped,
        ),
        options,
        day,
    )


def _secrets(files: Sequence[File]) -> Scanned:
    def read(file: File) -> tuple[list[ScanFinding], list[Unscanned]]:
        found: list[ScanFinding] = []
        try:
            found.extend(scan_file(file))
        except Unscannable as error:
            return found, [Unscanned(kind="secrets", why=f"{file.name} cannot be read to its end: {error}")]
        return found, []

    with ThreadPoolExecutor(_THREADS, "scan-secrets") as pool:
        results = list(pool.map(read, files))
    return Scanned(
        findings=tuple(each for found, _ in results for each in found),
        unknown=tuple(each for _, failed in results for each in failed),
    )


def _vulnerabilities(files: Sequence[File], options: ScanSettings, scanner: DependencyScanner | None) -> Scanned:
    policy = options.vulnerabilities
    if policy == "off":
        return Scanned()
    if scanner is None:
        return Scanned(skipped=(_WITHOUT_SERVICE,))
    patience = REQUIRED_PATIENCE if policy == "required" else ADVISORY_PATIENCE
    findings: list[ScanFinding] = []
    notes: list[str] = []
    packages = 0
    try:
        needed = requirements(files)
        for name, needs in needed:
            audit = scanner.audit(needs, patience=patience / len(needed))
            findings += findings_of(name, audit)
            packages += audit.packages
            notes += audit.notes
    except Interrupted:
        raise
    except UnmoorError as error:
        unknown = (Unscanned(kind="vulnerabilities", why=error.in_brief()),)
        return Scanned(findings=tuple(findings), packages=packages, notes=tuple(notes), unknown=unknown)
    skipped = () if needed or not files else ("vulnerabilities (there is no wheel, which would say what it needs)",)
    return Scanned(findings=tuple(findings), packages=packages, notes=tuple(notes), skipped=skipped)


def advisory_lines(scanned: Scanned) -> list[str]:
    """Describe the findings that are warnings."""
    return lines_of([each for each in scanned.counting if each.level is Level.WARNING])


def warnings(scanned: Scanned, options: ScanSettings, day: date, kinds: Kinds = Kinds.BOTH) -> Iterator[str]:
    """What a person should know of a scan besides its findings: what is not known, and settings that ended."""
    for each in scanned.unknown:
        if policy_of(each.kind, options) != "required":
            yield f"cannot tell whether there are {each.kind}: {each.why}"
    if options.vulnerabilities == "required":
        yield from (f"not scanned: {each}" for each in scanned.skipped)
    yield from scanned.notes
    yield from ignore_warnings(scanned, options, day, kinds)


def policy_of(kind: str, options: ScanSettings) -> str:
    """The policy of a kind of finding."""
    return options.secrets if kind == "secrets" else options.vulnerabilities


def require_safe(scanned: Scanned, options: ScanSettings, day: date) -> None:
    """Raise `Unsafe` for findings where none may be, `Unknown` if a required scan failed."""
    if found := stopping(scanned):
        raise Unsafe("\n".join(lines_of(found)), next_step=next_step(found, day))
    for each in scanned.unknown:
        if policy_of(each.kind, options) == "required":
            raise Unknown(
                f"cannot tell whether there are {each.kind}: {each.why}",
                otherwise=advice.CHECK_SCANNER(kind=each.kind),
            )
