"""A workaround for Python 3.11.0 to 3.11.7, whose threads cannot parse two sources at once.

Their parser keeps one depth for the whole interpreter, and raises ``SystemError`` when two threads
parse at the same time (python/cpython#106905, mended in 3.11.8). Libraries parse for small things,
such as the strings of a requirement's marker.
"""

from __future__ import annotations

import sys
import threading
from typing import Any

MENDED = (3, 11, 8)
_LOCK = threading.Lock()


def patch_old_python() -> None:
    """Let only one thread parse at a time, on affected versions. Calling it again changes nothing."""
    if sys.version_info >= MENDED:
        return
    import ast

    if getattr(ast.parse, "one_at_a_time", False):
        return
    parse: Any = ast.parse

    def one_at_a_time(*args: Any, **kwargs: Any) -> Any:
        with _LOCK:
            return parse(*args, **kwargs)

    one_at_a_time.one_at_a_time = True  # type: ignore[attr-defined]  # a mark for the next call
    ast.parse = one_at_a_time
