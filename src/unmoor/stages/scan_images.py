"""The stage ``scan-images``: look for known vulnerabilities of what is in the images, with the user's own scanner."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Self

from unmoor.config.scan import ScanSettings
from unmoor.core.stage import Check, Output, StageContext
from unmoor.errors import Interrupted, UnmoorError
from unmoor.images.saved import archive_of, is_here, title
from unmoor.ports.engine import Engine
from unmoor.ports.scanner import ImageScanner
from unmoor.ports.services import Services
from unmoor.products import Images, Level, ScanFinding, Scanned, Unscanned
from unmoor.release_request import ReleaseRequest
from unmoor.scanning.day import today

_KIND = "vulnerabilities"
_ADVISORY_PATIENCE, _REQUIRED_PATIENCE = 120.0, 900.0


@dataclass(frozen=True, kw_only=True)
class ScanImages(Check[Scanned]):
    """Scans the images. Nothing of them is pushed if it finds what must not be there, or if it cannot tell.

    What no version fixes is only listed: nobody can update it. Without ``scanner`` nothing is scanned. ``files`` is the
    scan of the files, for which the settings have one list of what is ignored.
    """

    name: str = "scan-images"
    images: Output[Images]
    files: Output[Scanned]
    engine: Engine
    options: ScanSettings
    scanner: ImageScanner | None = None
    day: date = field(default_factory=today)

    @classmethod
    def of(cls, request: ReleaseRequest, services: Services, *, images: Output[Images], files: Output[Scanned]) -> Self:
        """Build the stage for a request."""
        return cls(
            images=images,
            files=files,
            engine=services.engine,
            options=request.settings.scan,
            scanner=services.scanners.images if services.scanners is not None else None,
        )

    def plan(self) -> str:
        """Say what would be scanned, and with what."""
        if self.scanner is None:
            return "scan no image, as this world has no scanner for them"
        return f"look for known vulnerabilities in every image with {self.scanner.program or 'trivy or grype'}"

    def make(self, context: StageContext) -> Scanned:
        """Scan. Raises `Unsafe` with the findings that must not be there, `Unknown` if a required scan failed."""
        from unmoor.scanning.judge import Kinds, ignore_warnings, judge
        from unmoor.scanning.run import advisory_lines, require_safe, warnings

        scanned = judge(self._scan(context), self.options, self.day)
        for text in (*advisory_lines(scanned), *warnings(scanned, self.options, self.day, Kinds(0))):
            context.warn(text)
        both = _together(context[self.files], scanned)
        for text in ignore_warnings(both, self.options, self.day, Kinds.VULNERABILITIES):
            context.warn(text)
        require_safe(scanned, self.options, self.day)
        return scanned

    def _scan(self, context: StageContext) -> Scanned:
        from unmoor.scanning.dependencies import findings_of

        if self.scanner is None:
            return Scanned(skipped=("images (this world has no scanner for them)",))
        if not self.scanner.program:
            why = "neither trivy nor grype is installed, which would scan the images"
            return Scanned(unknown=(Unscanned(kind=_KIND, why=why),))
        patience = _REQUIRED_PATIENCE if self.options.vulnerabilities == "required" else _ADVISORY_PATIENCE
        findings: list[ScanFinding] = []
        names: list[str] = []
        packages = 0
        images = context[self.images].images
        skipped: list[str] = []
        try:
            for image in images:
                name = title(image)
                if not is_here(image, self.engine):
                    skipped.append(f"{name} (it is not on this machine, so this run cannot push it)")
                    continue
                context.say(f"scanning {name} with {self.scanner.program}")
                with archive_of(image, self.engine) as archive:
                    audit = self.scanner.audit(archive, patience=patience / len(images))
                findings += [each if each.fixed else _listed(each) for each in findings_of(name, audit)]
                names.append(name)
                packages += audit.packages
        except Interrupted:
            raise
        except UnmoorError as error:
            unknown = (Unscanned(kind=_KIND, why=error.in_brief()),)
            return Scanned(findings=tuple(findings), files=tuple(names), packages=packages, unknown=unknown)
        return Scanned(findings=tuple(findings), files=tuple(names), packages=packages, skipped=tuple(skipped))


def _together(files: Scanned, images: Scanned) -> Scanned:
    """Both scans, for what neither of them has found."""
    return Scanned(
        findings=(*files.findings, *images.findings),
        unknown=(*files.unknown, *images.unknown),
        skipped=(*files.skipped, *images.skipped),
    )


def _listed(finding: ScanFinding) -> ScanFinding:
    from unmoor.util.values import replace

    return replace(finding, level=Level.NOTE)
