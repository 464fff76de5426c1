"""Known vulnerabilities by ``uv audit``, which resolves a project and asks a service with the API of OSV.

The command is experimental. It ends with 1 for findings and for a failure of its own alike, so only its JSON counts,
and what is not in the form below is no answer. It was chosen because uv is there already and resolves as it installs.
One limit is uv's: a service that answers fewer questions than it was asked counts as one that knows nothing more.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from unmoor.adapters.process.variables import project_variables
from unmoor.adapters.scanners.project import write_project
from unmoor.adapters.uv import Uv
from unmoor.adapters.uv_failures import read_failure
from unmoor.errors import Cause, Unknown
from unmoor.filesystem.temporary import temporary_folder
from unmoor.ports.failure import failure
from unmoor.ports.scanner import Audit, Requirements, Vulnerability
from unmoor.ports.shell import Ran
from unmoor.util.decode import decode_json
from unmoor.util.text import clean, list_some
from unmoor.util.values import replace

# Its own tries would take longer than anybody wants to wait for advice.
_QUICK: Mapping[str, str] = {"UV_HTTP_RETRIES": "1", "UV_HTTP_TIMEOUT": "5"}
_PREVIEW = "audit-command,json-output"
_CLEAN, _FOUND = 0, 1
_WHAT = "could not scan the dependencies"


class _Package(msgspec.Struct, frozen=True):
    name: str
    version: str


class _Vulnerability(msgspec.Struct, frozen=True, kw_only=True):
    dependency: _Package
    id: str
    display_id: str = ""
    aliases: tuple[str, ...] = ()
    summary: str | None = None
    link: str | None = None
    fix_versions: tuple[str, ...] = ()


class _Status(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    status: str
    reason: str | None = None


class _Summary(msgspec.Struct, frozen=True, kw_only=True):
    audited_packages: int
    vulnerabilities: int


class _Report(msgspec.Struct, frozen=True, kw_only=True):
    summary: _Summary
    vulnerabilities: tuple[_Vulnerability, ...]
    adverse_statuses: tuple[_Status, ...] = ()


@dataclass(frozen=True, kw_only=True)
class UvAudit:
    """Runs ``uv audit``. ``service`` is the root of OSV's API, empty for uv's own choice, which is the public one."""

    uv: Uv
    service: str = ""

    def audit(self, needs: Requirements, *, patience: float) -> Audit:
        """Scan all dependencies with those of every extra, or without if the extras exclude each other."""
        end = time.monotonic() + patience
        try:
            return self._audit(needs, patience)
        except Unknown as error:
            # A cause is the network's, or the service's: without extras it would be the same.
            if not needs.extras or error.cause is not None:
                raise
        plain = self._audit(replace(needs, extras=()), max(end - time.monotonic(), 1.0))
        names = list_some(needs.extras, 3)
        why = "they do not resolve together, or need to be built"
        note = f"the dependencies of the extras {names} were not scanned: {why}"
        return replace(plain, notes=(*plain.notes, note))

    def _audit(self, needs: Requirements, patience: float) -> Audit:
        args = ["audit", "--quiet", "--output-format", "json", "--no-build", f"--preview-features={_PREVIEW}"]
        if self.service:
            args += ["--service-url", f"{self.service}/"]
        with temporary_folder() as folder:
            write_project(folder, needs, self.uv.own())
            variables = {**project_variables(self.uv.environ), **_QUICK, "UV_PYTHON": self.uv.python}
            ran = self.uv.uv_that_builds(args, cwd=folder, variables=variables, timeout=patience)
        return read_report(ran)


def read_report(ran: Ran) -> Audit:
    """Read what ``uv audit`` printed. Raises `Unknown`, `ToolMissing` if it is not a whole report."""
    try:
        report = decode_json(ran.out if ran.code in (_CLEAN, _FOUND) else "", _Report)
    except ValueError:
        raise read_failure(ran, _WHAT, {}) or Unknown(
            f"uv {_WHAT}: {clean(ran.err.removeprefix('error:') or ran.out, 500)}"
        ) from None
    found = tuple(map(_vulnerability, report.vulnerabilities))
    counted = report.summary.vulnerabilities
    whole = report.summary.audited_packages > 0 and (counted > 0) == bool(found)
    if not whole:
        raise failure(
            Cause.NONSENSE,
            f"uv audit contradicts itself: {report.summary.audited_packages} packages, {counted} vulnerabilities,"
            f" {len(found)} of them listed, exit code {ran.code}",
        )
    notes = tuple(_note(each) for each in report.adverse_statuses)
    return Audit(scanner="uv audit", packages=report.summary.audited_packages, vulnerabilities=found, notes=notes)


def _vulnerability(each: _Vulnerability) -> Vulnerability:
    shown = each.display_id or each.id
    return Vulnerability(
        id=shown,
        package=each.dependency.name,
        version=each.dependency.version,
        aliases=tuple(dict.fromkeys(one for one in (each.id, *each.aliases) if one != shown)),
        summary=each.summary or "",
        fixed=each.fix_versions,
        url=each.link or "",
    )


def _note(each: _Status) -> str:
    why = f": {clean(each.reason)}" if each.reason else ""
    return f"the index calls the dependency {clean(each.name)} {clean(each.status)}{why}"
