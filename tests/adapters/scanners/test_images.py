"""trivy and grype, by programs that write their reports: only a whole one counts."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from unmoor.adapters.process.shell import LocalShell
from unmoor.adapters.scanners import InstalledScanner
from unmoor.errors import ToolMissing, Unknown
from unmoor.ports.scanner import Audit, Vulnerability

WEAK = Vulnerability(
    id="CVE-2026-1", package="openssl", version="3.0.1", summary="it leaks", fixed=("3.0.2",), url="https://a.example"
)
TRIVY: dict[str, Any] = {
    "SchemaVersion": 2,
    "ArtifactName": "image.tar",
    "Results": [
        {
            "Target": "debian",
            "Class": "os-pkgs",
            "Packages": [{"Name": "openssl", "Version": "3.0.1"}, {"Name": "bash", "Version": "5"}],
            "Vulnerabilities": [
                {
                    "VulnerabilityID": "CVE-2026-1",
                    "PkgName": "openssl",
                    "InstalledVersion": "3.0.1",
                    "FixedVersion": "3.0.2",
                    "Severity": "HIGH",
                    "Title": "it leaks",
                    "PrimaryURL": "https://a.example",
                }
            ],
        },
        {"Target": "Python", "Class": "lang-pkgs"},
    ],
}
GRYPE: dict[str, Any] = {
    "matches": [
        {
            "vulnerability": {
                "id": "CVE-2026-1",
                "dataSource": "https://a.example",
                "description": "it leaks",
                "severity": "High",
                "fix": {"versions": ["3.0.2"], "state": "fixed"},
            },
            "relatedVulnerabilities": [],
            "artifact": {"name": "openssl", "version": "3.0.1", "type": "deb"},
        }
    ],
    "descriptor": {"name": "grype", "version": "0.90"},
}


def scanner(shell: LocalShell, folder: Path, name: str, out: object, code: int = 0) -> InstalledScanner:
    """Return a scanner whose program checks that it gets an archive, and prints a report."""
    program = folder / name
    text = out if isinstance(out, str) else json.dumps(out)
    program.write_text(
        f'#!/bin/sh\necho "$*" | grep -q "{folder}/image.tar" || exit 9\ncat <<"END"\n{text}\nEND\nexit {code}\n'
    )
    program.chmod(0o755)
    return InstalledScanner(shell=shell, environ={"PATH": f"{folder}:{os.defpath}"})


@pytest.mark.parametrize(("name", "report", "packages"), [("trivy", TRIVY, 2), ("grype", GRYPE, 0)])
def test_findings(shell: LocalShell, tmp_path: Path, name: str, report: dict[str, Any], packages: int) -> None:
    """A vulnerability comes with its version, what fixes it and a page about it."""
    found = scanner(shell, tmp_path, name, report)
    assert found.program == name
    audit = found.audit(tmp_path / "image.tar", patience=60.0)
    assert audit == Audit(scanner=name, packages=packages, vulnerabilities=(WEAK,))


@pytest.mark.parametrize(
    ("name", "out", "code"),
    [
        ("trivy", "", 0),
        ("trivy", "{}", 0),
        ("trivy", TRIVY, 1),
        ("trivy", {"SchemaVersion": 2}, 0),
        ("trivy", TRIVY | {"Results": None}, 0),
        ("trivy", TRIVY | {"Results": [{"Target": "debian"}]}, 0),
        ("trivy", TRIVY | {"Results": [{"Vulnerabilities": [{"Severity": "HIGH"}]}]}, 0),
        ("grype", "{}", 0),
        ("grype", {"matches": []}, 0),
        ("grype", GRYPE | {"descriptor": {"name": "other", "version": "1"}}, 0),
        ("grype", GRYPE, 2),
    ],
)
def test_no_report(shell: LocalShell, tmp_path: Path, name: str, out: object, code: int) -> None:
    """What is not a whole report, or lists no package, is unknown, never an image without findings."""
    with pytest.raises(Unknown):
        scanner(shell, tmp_path, name, out, code).audit(tmp_path / "image.tar", patience=60.0)


def test_no_program(shell: LocalShell, tmp_path: Path) -> None:
    """Without a scanner there is no program, and nothing is scanned."""
    none = InstalledScanner(shell=shell, environ={"PATH": str(tmp_path)})
    assert none.program == ""
    with pytest.raises(ToolMissing, match="neither trivy nor grype"):
        none.audit(tmp_path / "image.tar", patience=60.0)


def test_a_scanner_that_hangs(shell: LocalShell, tmp_path: Path) -> None:
    """Nobody waits longer than the given patience."""
    program = tmp_path / "trivy"
    program.write_text("#!/bin/sh\nexec sleep 30\n")
    program.chmod(0o755)
    hanging = InstalledScanner(shell=shell, environ={"PATH": f"{tmp_path}:{os.defpath}"})
    with pytest.raises(Unknown, match=r"more than 0\.2 s"):
        hanging.audit(tmp_path / "image.tar", patience=0.2)
