"""What an emergency makes of the settings."""

from __future__ import annotations

import pytest

from unmoor.config.scan import ScanSettings
from unmoor.config.settings import Settings
from unmoor.config.waived import waived
from unmoor.core.waivers import Gate

STRICT = Settings(
    testpypi="required",
    reproducible="required",
    attestations="required",
    scan=ScanSettings(secrets="required", vulnerabilities="required"),
)
NAMES = ("testpypi", "reproducible", "attestations", "secrets", "vulnerabilities")


def policies(settings: Settings) -> dict[str, str]:
    """The policies by name."""
    return {name: getattr(settings.scan if hasattr(settings.scan, name) else settings, name) for name in NAMES}


@pytest.mark.parametrize(
    ("gate", "changes"),
    [
        (Gate.STAGING, {"testpypi": "advisory"}),
        (Gate.REPRODUCIBILITY, {"reproducible": "advisory"}),
        (Gate.ATTESTATIONS, {"attestations": "auto"}),
        (Gate.SCANS, {"secrets": "advisory", "vulnerabilities": "advisory"}),
        (Gate.TESTS, {}),
        (Gate.SMOKE, {}),
        (Gate.RUN_CHECK, {}),
    ],
)
def test_each_gate_alone(gate: Gate, changes: dict[str, str]) -> None:
    """A gate changes its own policy and no other, and only one that is required."""
    assert policies(waived(STRICT, {gate})) == policies(STRICT) | changes
    off = Settings(
        testpypi="off", reproducible="off", attestations="off", scan=ScanSettings(secrets="off", vulnerabilities="off")
    )
    assert waived(off, set(Gate)) == off
    assert waived(STRICT, set()) == STRICT
