"""Scanners for known vulnerabilities: ``uv audit``, else pip-audit, and for images trivy or grype.

Each runs a program that asks a service. Only a whole report counts, because these programs end in the same way for
findings and for failures of their own. Begin with `uv_audit`.
"""

from __future__ import annotations

from unmoor.adapters.scanners.dependencies import FirstAnswer
from unmoor.adapters.scanners.images import InstalledScanner

__all__ = ["FirstAnswer", "InstalledScanner"]
