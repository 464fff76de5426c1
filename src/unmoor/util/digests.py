"""What digests and the ids of commits look like."""

from __future__ import annotations

import re

COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
"""A full commit id: SHA-1, or SHA-256 in a repository of that object format."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


def is_commit(text: str) -> bool:
    """Whether this is a full commit id, in lower case as git writes it.

    >>> is_commit("a" * 40), is_commit("a" * 64), is_commit("a" * 7), is_commit("main")
    (True, True, False, False)
    """
    return COMMIT.fullmatch(text) is not None


def is_sha256(text: str) -> bool:
    """Whether these are the 64 hexadecimal digits of a SHA-256, in lower case.

    >>> is_sha256("0" * 64), is_sha256("A" * 64), is_sha256("0" * 63)
    (True, False, False)
    """
    return _SHA256.fullmatch(text) is not None
