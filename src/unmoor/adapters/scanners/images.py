"""Known vulnerabilities of images, by trivy or grype if the user has one of them.

Neither is a Python package, so unmoor cannot bring it along. Both read the archive of an image, which needs no access
to the engine, and both keep a database of their own up to date.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import field as key

from unmoor import advice
from unmoor.adapters.process.variables import tool_variables
from unmoor.errors import Cause, TimedOut, ToolMissing, Unknown
from unmoor.ports.failure import child_failure, failure
from unmoor.ports.scanner import Audit, Vulnerability
from unmoor.ports.shell import Ran, Shell
from unmoor.util.decode import decode_json
from unmoor.util.text import clean

_OUTPUT = 200_000_000
_PROGRAMS = ("trivy", "grype")


class _TrivyVulnerability(msgspec.Struct, frozen=True, kw_only=True):
    id: str = key(name="VulnerabilityID")
    package: str = key(name="PkgName")
    version: str = key(name="InstalledVersion", default="")
    fixed: str = key(name="FixedVersion", default="")
    title: str = key(name="Title", default="")
    url: str = key(name="PrimaryURL", default="")


class _TrivyPackage(msgspec.Struct, frozen=True, kw_only=True):
    name: str = key(name="Name", default="")


class _TrivyResult(msgspec.Struct, frozen=True, kw_only=True):
    packages: tuple[_TrivyPackage, ...] | None = key(name="Packages", default=None)
    vulnerabilities: tuple[_TrivyVulnerability, ...] | None = key(name="Vulnerabilities", default=None)


class _TrivyReport(msgspec.Struct, frozen=True, kw_only=True):
    schema: int = key(name="SchemaVersion")
    results: tuple[_TrivyResult, ...] | None = key(name="Results", default=None)


class _GrypeFix(msgspec.Struct, frozen=True):
    versions: tuple[str, ...] | None = None


class _GrypeVulnerability(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    description: str = ""
    url: str = key(name="dataSource", default="")
    fix: _GrypeFix = _GrypeFix()


class _GrypeRelated(msgspec.Struct, frozen=True):
    id: str


class _GrypeArtifact(msgspec.Struct, frozen=True):
    name: str
    version: str = ""


class _GrypeMatch(msgspec.Struct, frozen=True, kw_only=True):
    vulnerability: _GrypeVulnerability
    related: tuple[_GrypeRelated, ...] | None = key(name="relatedVulnerabilities", default=None)
    artifact: _GrypeArtifact


class _GrypeDescriptor(msgspec.Struct, frozen=True):
    name: str
    version: str


class _GrypeReport(msgspec.Struct, frozen=True, kw_only=True):
    matches: tuple[_GrypeMatch, ...]
    descriptor: _GrypeDescriptor


@dataclass(frozen=True, kw_only=True)
class InstalledScanner:
    """Runs trivy or grype, whichever is on the ``PATH``; see `unmoor.ports.scanner.ImageScanner`."""

    shell: Shell
    environ: Mapping[str, str] = field(repr=False)

    @cached_property
    def program(self) -> str:
        """The program that scans, empty if none is installed."""
        path = self.environ.get("PATH", "")
        return next((name for name in _PROGRAMS if shutil.which(name, path=path)), "")

    def audit(self, archive: Path, *, patience: float) -> Audit:
        """Scan the archive of an image."""
        if not self.program:
            raise ToolMissing("neither trivy nor grype is installed", next_step=advice.INSTALL_PROGRAM(program="trivy"))
        tool = _TOOLS[self.program]
        args = [self.program, *(each.replace("ARCHIVE", str(archive)) for each in tool.args)]
        env = {**tool_variables(self.environ), **tool.variables}
        try:
            ran = self.shell.run(args, cwd=archive.parent, env=env, timeout=patience, limit=_OUTPUT)
        except TimedOut as error:
            raise failure(Cause.LOST, error.what) from error
        if ran.code != 0:
            raise child_failure(ran, self.program) or Unknown(f"{self.program} failed: {_last_line(ran)}")
        try:
            return tool.read(ran.out)
        except ValueError as error:
            raise failure(Cause.NONSENSE, f"{self.program} gives no whole report: {clean(str(error))}") from error


def _trivy(out: str) -> Audit:
    report = decode_json(out, _TrivyReport)
    results = report.results or ()
    packages = sum(len(each.packages or ()) for each in results)
    if not packages:
        raise ValueError("it lists no package")
    found = (one for each in results for one in each.vulnerabilities or ())
    vulnerabilities = (
        Vulnerability(
            id=one.id,
            package=one.package,
            version=one.version,
            summary=one.title,
            fixed=tuple(filter(None, (each.strip() for each in one.fixed.split(",")))),
            url=one.url,
        )
        for one in found
    )
    return Audit(scanner="trivy", packages=packages, vulnerabilities=tuple(vulnerabilities))


def _grype(out: str) -> Audit:
    report = decode_json(out, _GrypeReport)
    if report.descriptor.name != "grype":
        raise ValueError("it is not grype's")
    vulnerabilities = (
        Vulnerability(
            id=each.vulnerability.id,
            package=each.artifact.name,
            version=each.artifact.version,
            aliases=tuple(one.id for one in each.related or ()),
            summary=each.vulnerability.description,
            fixed=each.vulnerability.fix.versions or (),
            url=each.vulnerability.url,
        )
        for each in report.matches
    )
    # grype lists only the packages that match something.
    return Audit(scanner="grype", packages=0, vulnerabilities=tuple(vulnerabilities))


class _Tool(NamedTuple):
    args: tuple[str, ...]
    variables: Mapping[str, str]
    read: Callable[[str], Audit]


_TRIVY = "image --input ARCHIVE --format json --quiet --scanners vuln --list-all-pkgs"
_TOOLS: Mapping[str, _Tool] = {
    "trivy": _Tool(tuple(_TRIVY.split()), {}, _trivy),
    "grype": _Tool(
        ("docker-archive:ARCHIVE", "--output", "json", "--quiet"), {"GRYPE_CHECK_FOR_APP_UPDATE": "false"}, _grype
    ),
}


def _last_line(ran: Ran) -> str:
    return clean((ran.err or ran.out).strip().rpartition("\n")[2], 300)
