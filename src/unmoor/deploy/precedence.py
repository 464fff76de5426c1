"""What has one place for all versions belongs to the highest final one: it never goes back, nor to a prerelease."""

from __future__ import annotations

from unmoor.products import Release
from unmoor.util.text import clean


def why_left(release: Release, *, any_version: bool) -> str:
    """Why a release leaves a Space or a service as it is; empty if it may replace what is there.

    ``any_version``: a person asked for this one, whatever else is released.
    """
    if release.highest or any_version:
        return ""
    kind = "a prerelease" if release.prerelease else "not the highest final version"
    return f"{clean(release.version)} is {kind}; the option --any-version deploys it all the same"
