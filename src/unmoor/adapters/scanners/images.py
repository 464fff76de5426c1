"""Known vulnerabilities of images, by trivy or grype if the user has one of them.

Neither is a Python package, so unmoor cannot bring it along. Both read the archive of an image, which needs no access
to the engine, and both keep a database of their own up to date.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from unmoor import advice
from unmoor.adapters.process.variables import tool_variables
from unmoor.adapters.scanners.programs import installed, run_on
from unmoor.errors import Cause, ToolMissing
from unmoor.ports.failure import failure
from unmoor.ports.scanner import Audit
from unmoor.ports.shell import Shell
from unmoor.util.text import clean

_OUTPUT = 200_000_000
_PROGRAMS = ("trivy", "grype")


@dataclass(frozen=True, kw_only=True)
class InstalledScanner:
    """Runs trivy or grype, whichever is on the ``PATH``; see `unmoor.ports.scanner.ImageScanner`."""

    shell: Shell
    environ: Mapping[str, str] = field(repr=False)

    @cached_property
    def program(self) -> str:
        """The program that scans, empty if none is installed."""
        return installed(_PROGRAMS, self.environ)

    def audit(self, archive: Path, *, patience: float) -> Audit:
        """Scan the archive of an image."""
        if not self.program:
            raise ToolMissing("neither trivy nor grype is installed", next_step=advice.INSTALL_PROGRAM(program="trivy"))
        tool = _TOOLS[self.program]
        env = {**tool_variables(self.environ), **tool.variables}
        args = (self.program, *tool.args)
        report = run_on(archive, args, self.shell, env, patience=patience, limit=_OUTPUT)
        from unmoor.adapters.scanners.image_reports import read_grype, read_trivy

        try:
            return read_trivy(report) if self.program == "trivy" else read_grype(report)
        except ValueError as error:
            raise failure(Cause.NONSENSE, f"{self.program} gives no whole report: {clean(str(error))}") from error


class _Tool(NamedTuple):
    args: tuple[str, ...]
    variables: Mapping[str, str]


_TRIVY = "image --input ARCHIVE --format json --quiet --scanners vuln --list-all-pkgs"
_TOOLS: Mapping[str, _Tool] = {
    "trivy": _Tool(tuple(_TRIVY.split()), {}),
    "grype": _Tool(("docker-archive:ARCHIVE", "--output", "json", "--quiet"), {"GRYPE_CHECK_FOR_APP_UPDATE": "false"}),
}
