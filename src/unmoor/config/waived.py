"""What an emergency makes of the settings: a policy that is required gives way. The one place that does it."""

from __future__ import annotations

from collections.abc import Container

from unmoor.config.settings import Settings
from unmoor.core.waivers import Gate
from unmoor.util.values import replace


def waived(settings: Settings, gates: Container[Gate]) -> Settings:
    """Return the settings with what the gates waive: ``required`` becomes ``advisory`` or ``auto``.

    The tests and the smoke commands have no such policy: their stages know whether a failure counts.
    """
    if Gate.STAGING in gates and settings.testpypi == "required":
        settings = replace(settings, testpypi="advisory")
    if Gate.REPRODUCIBILITY in gates and settings.reproducible == "required":
        settings = replace(settings, reproducible="advisory")
    if Gate.ATTESTATIONS in gates and settings.attestations == "required":
        settings = replace(settings, attestations="auto")
    if Gate.SCANS in gates:
        scan = settings.scan
        scan = replace(scan, secrets="advisory") if scan.secrets == "required" else scan
        scan = replace(scan, vulnerabilities="advisory") if scan.vulnerabilities == "required" else scan
        settings = replace(settings, scan=scan)
    return settings
