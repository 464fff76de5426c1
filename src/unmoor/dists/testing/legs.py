"""Which machine would try a wheel that this one cannot run: the leg of a release that its platform needs.

The labels are those of GitHub's own runners ("About GitHub-hosted runners", supported runners for public repositories).
"""

from __future__ import annotations

import re
from typing import Final

_RUNNERS: Final = (
    (re.compile(r"win32|win_amd64"), "a job on windows-latest"),
    (re.compile(r"win_arm64"), "a job on windows-11-arm"),
    (re.compile(r"macosx_\d+_\d+_(arm64|universal2)"), "a job on macos-latest"),
    (re.compile(r"macosx_\d+_\d+_\w+"), "a job on macos-15-intel"),
    (re.compile(r"(many)?linux\w*_x86_64"), "a job on ubuntu-latest"),
    (re.compile(r"(many)?linux\w*_aarch64"), "a job on ubuntu-24.04-arm"),
    (re.compile(r"musllinux\w*_x86_64"), "a job in a container with Alpine Linux on ubuntu-latest"),
    (re.compile(r"musllinux\w*_aarch64"), "a job in a container with Alpine Linux on ubuntu-24.04-arm"),
)
COMMAND: Final = "unmoor release --dry-run --until check-dists --until prove-dists --built DIR TAG"
"""What the leg runs: it proves the wheels in DIR, and its run folder is handed over."""


def leg_for(platform: str) -> str:
    """Say which job would try a wheel for a platform, by the tag in its name.

    >>> leg_for("win_amd64"), leg_for("manylinux_2_28_s390x")
    ('a job on windows-latest', 'a machine for manylinux_2_28_s390x')
    """
    return next((job for pattern, job in _RUNNERS if pattern.fullmatch(platform)), f"a machine for {platform}")
