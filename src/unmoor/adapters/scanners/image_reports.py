"""The reports of trivy and grype. What is not a whole one is a `ValueError`, never an image without findings."""

from __future__ import annotations

import msgspec
from msgspec import field as key

from unmoor.ports.scanner import Audit, Vulnerability
from unmoor.util.decode import decode_json


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


def read_trivy(out: str) -> Audit:
    """Read a report of ``trivy image --format json --list-all-pkgs``. Raises ``ValueError``."""
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


def read_grype(out: str) -> Audit:
    """Read a report of ``grype --output json``. Raises ``ValueError``."""
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
