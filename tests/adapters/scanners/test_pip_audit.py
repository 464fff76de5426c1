"""pip-audit, by a program that writes its reports: only a whole one counts."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from tests.support.faulty_server import run_server
from tests.support.osv import needs, only_index

from unmoor.adapters.scanners.pip_audit import PipAudit
from unmoor.adapters.uv import Uv
from unmoor.errors import ToolMissing, Unknown
from unmoor.ports.scanner import Audit
from unmoor.util.values import replace

IDNA: dict[str, Any] = {"name": "idna", "version": "3.6", "vulns": []}
ONE = {"id": "PYSEC-2024-60", "fix_versions": ["3.7"], "aliases": ["CVE-2024-3651"], "description": "it hangs"}


def report(*dependencies: dict[str, Any]) -> str:
    """Return a report of pip-audit 2."""
    return json.dumps({"dependencies": dependencies, "fixes": []})


def audited(uv: Uv, folder: Path, out: str, code: int = 0) -> Audit:
    """Scan with a program of that name, which checks what it is asked and prints a report."""
    program = folder / "pip-audit"
    checks = "grep -q '^idna==3.6$' requirements.txt && echo \"$*\" | grep -q ' http://a.example/v1/query' || exit 9"
    program.write_text(f"#!/bin/sh\n{checks}\ncat <<'END'\n{out}\nEND\nexit {code}\n")
    program.chmod(0o755)
    found = {**uv.environ, "PATH": f"{folder}:{os.defpath}"}
    with run_server(only_index) as server:
        own = replace(uv, environ=found, dependencies=f"{server.url}/simple")
        return PipAudit(uv=own, service="http://a.example").audit(needs("idna==3.6"), patience=60.0)


def test_findings(uv: Uv, tmp_path: Path) -> None:
    """A vulnerability comes with its version, its aliases and what fixes it. uv has resolved the versions."""
    audit = audited(uv, tmp_path, report(IDNA | {"vulns": [ONE]}), 1)
    (found,) = audit.vulnerabilities
    assert (found.id, found.package, found.version, found.fixed) == ("PYSEC-2024-60", "idna", "3.6", ("3.7",))
    assert found.aliases == ("CVE-2024-3651",)
    assert audited(uv, tmp_path, report(IDNA)) == Audit(scanner="pip-audit", packages=1)


@pytest.mark.parametrize(
    ("out", "code"),
    [
        ("", 1),
        ("Traceback", 1),
        ("[]", 0),
        (report(), 0),
        (report(IDNA), 1),
        (report(IDNA | {"vulns": [ONE]}), 0),
        (report({"name": "idna", "skip_reason": "not found"}), 0),
        (report(IDNA), 2),
    ],
)
def test_no_report(uv: Uv, tmp_path: Path, out: str, code: int) -> None:
    """What is not a whole report, skips a package or contradicts the exit code is unknown."""
    with pytest.raises(Unknown):
        audited(uv, tmp_path, out, code)


def test_no_program(uv: Uv, tmp_path: Path) -> None:
    """Without pip-audit there is nothing to ask."""
    environ = {**uv.environ, "PATH": str(tmp_path)}
    with run_server(only_index) as server:
        scanner = PipAudit(uv=replace(uv, environ=environ, dependencies=f"{server.url}/simple"))
        with pytest.raises(ToolMissing, match="pip-audit"):
            scanner.audit(needs("idna==3.6"), patience=60.0)


def test_what_cannot_be_resolved(uv: Uv) -> None:
    """Requirements that nothing fulfils are unknown."""
    with run_server(only_index) as server, pytest.raises(Unknown, match="resolve"):
        PipAudit(uv=replace(uv, dependencies=f"{server.url}/simple")).audit(needs("idna>3.6,<3.6"), patience=60.0)
