"""The stage ``scan``: look for secrets in the built files, and for known vulnerabilities of what they need.

It runs beside the tests, in every run: what an earlier scan found says nothing about what is known today.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Self

from unmoor.config.scan import ScanSettings
from unmoor.core.stage import Check, Output, StageContext
from unmoor.ports.scanner import DependencyScanner
from unmoor.ports.services import Services
from unmoor.products import Dists, Scanned
from unmoor.release_request import ReleaseRequest
from unmoor.scanning.day import today


@dataclass(frozen=True, kw_only=True)
class ScanFiles(Check[Scanned]):
    """Scans the files. Nothing is sent if it finds what the settings require not to be there, or if it cannot tell.

    Without ``scanner`` no service is asked about vulnerabilities. ``images``: those of images are looked for elsewhere.
    """

    name: str = "scan"
    dists: Output[Dists]
    options: ScanSettings
    scanner: DependencyScanner | None = None
    images: bool = False
    day: date = field(default_factory=today)

    @classmethod
    def of(cls, request: ReleaseRequest, services: Services, *, dists: Output[Dists]) -> Self:
        """Build the stage for a request."""
        scanners = services.scanners
        return cls(
            dists=dists,
            options=request.settings.scan,
            scanner=scanners.dependencies if scanners is not None else None,
            images=bool(request.images),
        )

    def plan(self) -> str:
        """Say what would be scanned, and who would be asked."""
        parts = []
        if self.options.secrets != "off":
            parts.append("search every file for secrets")
        if self.options.vulnerabilities != "off" and self.scanner is not None:
            parts.append(f"resolve what the wheels need, and ask {self.scanner.asks} for its known vulnerabilities")
        elif self.options.vulnerabilities != "off":
            parts.append("ask nobody for vulnerabilities, as this world has no service for it")
        return "; ".join(parts)

    def make(self, context: StageContext) -> Scanned:
        """Scan. Raises `Unsafe` with the findings that must not be there, `Unknown` if a required scan failed."""
        from unmoor.scanning.judge import Kinds, line_of
        from unmoor.scanning.run import advisory_lines, require_safe, scan, warnings

        scanned = scan(context[self.dists].files, self.options, self.scanner, self.day)
        for finding in scanned.findings:
            if finding.ignored:
                context.say(f"ignored until {finding.until}: {line_of(finding)}: {finding.ignored}")
        if samples := scanned.samples:
            context.say(f"taken for samples, as they are in tests or documentation: {samples}")
        kinds = Kinds.SECRETS if self.images else Kinds.BOTH
        for text in (*advisory_lines(scanned), *warnings(scanned, self.options, self.day, kinds)):
            context.warn(text)
        require_safe(scanned, self.options, self.day)
        return scanned
