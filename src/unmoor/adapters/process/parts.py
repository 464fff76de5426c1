"""The only place that chooses how this system runs programs; see `process_system`."""

from __future__ import annotations

import sys

from unmoor.adapters.process.process_system import ProcessSystem


def keep(process: int) -> None:
    """Never take a process that was started elsewhere, a server of ours, for one that a program has left behind."""
    if sys.platform == "linux":
        from unmoor.adapters.process.orphans import orphans

        orphans().keep(process)


def create_system(mark: str) -> ProcessSystem:
    """Return the part of this system for a run, whose processes all have a variable that begins with ``mark``."""
    if sys.platform == "win32":
        from unmoor.adapters.process.windows import WindowsSystem
        from unmoor.adapters.process.windows_kernel import WindowsKernel

        return WindowsSystem(WindowsKernel())
    elif sys.platform == "linux":  # noqa: RET505 # mypy takes each branch for its system
        from unmoor.adapters.process.linux import LinuxSystem

        return LinuxSystem(mark)
    else:
        from unmoor.adapters.process.darwin import DarwinSystem
        from unmoor.adapters.process.darwin_kernel import DarwinKernel

        return DarwinSystem(mark, DarwinKernel())
