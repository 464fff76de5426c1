"""What an emergency release will lack for good, said before anything happens."""

from __future__ import annotations

from collections.abc import Container

from unmoor.core.waivers import Gate
from unmoor.ports.services import Services
from unmoor.release_request import ReleaseRequest
from unmoor.util.text import clean


def what_is_lost(request: ReleaseRequest, services: Services, gates: Container[Gate]) -> list[str]:
    """Return what a release with these gates waived will lack, one line each. Asks nobody."""
    settings, index = request.settings, services.index.name
    lines = [f"what {index} gets stays there, and no file name can be used again"]
    if why := request.why_unsigned(services):
        lines.append(
            f"attestations: {clean(why)}, and {index} adds none to a file that it has: it answers the same bytes with"
            " success and drops the rest"
        )
    if Gate.TESTS in gates:
        lines.append("tests: users may get files that fail their tests, or were never tested")
    if Gate.SMOKE in gates and request.images:
        lines.append("smoke: users may get images whose smoke commands fail, or never ran")
    if Gate.SCANS in gates:
        lines.append("scans: a secret in a file becomes public, and a known vulnerability stays in this version")
    if request.staging(services) is None and (services.staging is not None):
        lines.append(f"staging: nothing goes to {services.staging.name}")
    elif Gate.STAGING in gates and services.staging is not None and settings.testpypi != "off":
        lines.append(f"staging: {services.staging.name} may lack the files, so that nobody has installed them before")
    if Gate.REPRODUCIBILITY in gates and settings.reproducible != "off":
        lines.append("reproducibility: the manifest may lack the proof of a second build, and never changes")
    if Gate.RUN_CHECK in gates:
        lines.append("run-check: another run may send at the same time; either stops at bytes that are not its own")
    return [*lines, "the reason, your name and what was waived: they become a part of the release"]
