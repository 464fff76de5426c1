"""The calls of macOS that `darwin` needs, each in a line or two: this module runs on no other system."""

from __future__ import annotations

import sys

assert sys.platform not in {"linux", "win32"}

import errno
import select
from pathlib import Path


class DarwinKernel:
    """See `darwin.DarwinCalls`. psutil takes milliseconds to import, and few programs have limits."""

    def watch(self, process: int) -> select.kqueue | None:
        """See `darwin.DarwinCalls.watch`. kevent(2) finds no process that has ended, reaped or not."""
        queue = select.kqueue()
        end = select.kevent(process, select.KQ_FILTER_PROC, select.KQ_EV_ADD, select.KQ_NOTE_EXIT)
        try:
            queue.control([end], 0)
        except OSError as error:
            queue.close()
            if error.errno == errno.ESRCH:
                return None
            raise
        return queue

    def memory(self, process: int) -> int:
        """See `darwin.DarwinCalls.memory`."""
        import psutil

        try:
            return psutil.Process(process).memory_info().rss
        except psutil.Error:
            return 0

    def libraries(self) -> list[str]:
        """See `darwin.DarwinCalls.libraries`."""
        from importlib.util import find_spec  # without running psutil

        found = find_spec("psutil")
        return [str(Path(found.origin).parents[1])] if found is not None and found.origin else []
