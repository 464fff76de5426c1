"""Known vulnerabilities by pip-audit, if it is installed: for machines whose uv has no ``uv audit``.

pip-audit would build packages to resolve them. So uv resolves, without building anything, and pip-audit only asks the
service with the API of OSV. It ends with 1 for findings and for a failure of its own alike; its JSON counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from unmoor.adapters.process.variables import project_variables, tool_variables
from unmoor.adapters.scanners.project import write_wheel
from unmoor.adapters.uv import Uv
from unmoor.adapters.uv_failures import read_failure
from unmoor.errors import Cause, TimedOut, Unknown
from unmoor.filesystem.temporary import temporary_folder
from unmoor.ports.failure import child_failure, failure
from unmoor.ports.scanner import Audit, Requirements, Vulnerability
from unmoor.ports.shell import Ran
from unmoor.util.decode import decode_json
from unmoor.util.text import clean, list_some

_SOCKET_PATIENCE = 10
_CLEAN, _FOUND = 0, 1
_LINE = "\n"


class _Vulnerability(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    fix_versions: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    description: str = ""


class _Dependency(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    version: str = ""
    vulns: tuple[_Vulnerability, ...] = ()
    skip_reason: str = ""


class _Report(msgspec.Struct, frozen=True, kw_only=True):
    dependencies: tuple[_Dependency, ...]


@dataclass(frozen=True, kw_only=True)
class PipAudit:
    """Runs pip-audit. ``service`` is the root of OSV's API, empty for the public one."""

    uv: Uv
    service: str = ""

    def audit(self, needs: Requirements, *, patience: float) -> Audit:
        """Scan what uv resolves, for the interpreter of new environments."""
        with temporary_folder() as folder:
            pins = self._resolve(needs, folder, patience)
            if not pins:
                return Audit(scanner="pip-audit", packages=0)
            (folder / "requirements.txt").write_text("\n".join(pins), encoding="utf-8")
            args = ["pip-audit", "--requirement", "requirements.txt", "--no-deps", "--disable-pip"]
            args += ["--format", "json", "--progress-spinner", "off", "--timeout", str(_SOCKET_PATIENCE)]
            args += [
                "--vulnerability-service",
                "osv",
                *(["--osv-url", f"{self.service}/v1/query"] if self.service else []),
            ]
            try:
                ran = self.uv.shell.run(args, cwd=folder, env=tool_variables(self.uv.environ), timeout=patience)
            except TimedOut as error:
                raise failure(Cause.LOST, error.what) from error
        return read_report(ran, expected=len(pins))

    def _resolve(self, needs: Requirements, folder: Path, patience: float) -> tuple[str, ...]:
        """Resolve the dependencies to ``name==version``, those of every extra included."""
        extras = f"[{','.join(needs.extras)}]" if needs.extras else ""
        source = folder / "requirements.in"
        source.write_text(f"{needs.project}{extras} @ {write_wheel(folder, needs).as_uri()}\n", encoding="utf-8")
        args = ["pip", "compile", "--no-build", "--no-header", "--no-annotate", "--python", self.uv.python, str(source)]
        ran = self.uv.uv_that_builds(args, cwd=folder, variables=project_variables(self.uv.environ), timeout=patience)
        if ran.code:
            raise read_failure(ran, "could not resolve the dependencies", {}) or Unknown(
                f"uv could not resolve the dependencies: {clean(ran.err, 500)}"
            )
        return tuple(_pins(ran.out))


def _pins(text: str) -> Iterator[str]:
    """The pinned lines of a resolution; the scanned wheel itself is one by its address."""
    return (line for line in map(str.strip, text.splitlines()) if "==" in line and " @ " not in line)


def read_report(ran: Ran, *, expected: int) -> Audit:
    """Read what pip-audit printed. Raises `Unknown` or `ToolMissing` if it is not a whole report."""
    try:
        report = decode_json(ran.out if ran.code in (_CLEAN, _FOUND) else "", _Report)
    except ValueError:
        raise child_failure(ran, "pip-audit") or failure(
            Cause.LOST, f"pip-audit failed: {clean((ran.err or ran.out).strip().rpartition(_LINE)[2], 500)}"
        ) from None
    looked_at = [each for each in report.dependencies if not each.skip_reason]
    found = tuple(_vulnerability(each, one) for each in looked_at for one in each.vulns)
    if len(looked_at) < expected or (ran.code == _FOUND) != bool(found):
        skipped = [
            f"{clean(each.name)} ({clean(each.skip_reason)})" for each in report.dependencies if each.skip_reason
        ]
        raise failure(
            Cause.NONSENSE,
            f"pip-audit looked at {len(looked_at)} of {expected} packages, found {len(found)} vulnerabilities and ended"
            f" with exit code {ran.code}" + (f"; it skipped {list_some(skipped, 3)}" if skipped else ""),
        )
    return Audit(scanner="pip-audit", packages=len(looked_at), vulnerabilities=found)


def _vulnerability(each: _Dependency, one: _Vulnerability) -> Vulnerability:
    return Vulnerability(
        id=one.id,
        package=each.name,
        version=each.version,
        aliases=one.aliases,
        summary=one.description,
        fixed=one.fix_versions,
    )
