"""Scanners for known vulnerabilities: ``uv audit``, else pip-audit, trivy or grype for images, and syft.

Each runs a program, which may ask a service. Only a whole report counts, because these programs end in the same way for
findings and for failures of their own. Begin with `uv_audit`.
"""

from __future__ import annotations

from unmoor.adapters.scanners.dependencies import FirstAnswer
from unmoor.adapters.scanners.images import InstalledScanner
from unmoor.adapters.scanners.syft import Syft

__all__ = ["FirstAnswer", "InstalledScanner", "Syft"]
