"""The version of a commit that is not released: always one that no release can have."""

from __future__ import annotations

from collections.abc import Collection

from packaging.version import Version

from unmoor.versioning import pep440

_DIGITS = 7


def development_version(written: Version, commit: str, released: Collection[Version]) -> Version:
    """Return the version of a commit whose files say ``written``, while ``released`` are the versions of all tags.

    A version that cannot be released stays. Any other gets the commit as its local part (PEP 440). What comes after the
    release 1.2.0 is ``1.2.0+gabcdef1``; if there is none yet, it is ``1.2.0.dev0+gabcdef1``, which comes before it.
    """
    if pep440.why_unreleasable(written):
        return written
    before = "" if written in released else ".dev0"
    return Version(f"{written}{before}+g{commit[:_DIGITS]}")
