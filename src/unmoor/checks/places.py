"""Where a problem is: in a file of the repository, or elsewhere."""

from __future__ import annotations

import posixpath


def is_path(where: str) -> bool:
    """Whether a place is a path in the repository, as far as its text tells.

    >>> [is_path(text) for text in ("pyproject.toml", "src/a b.py", "/etc/x", "https://x.test/a", "the forge")]
    [True, True, False, False, False]
    """
    if not where or "://" in where or posixpath.isabs(where) or ".." in where.split("/"):
        return False
    return "/" in where or "." in posixpath.basename(where)
