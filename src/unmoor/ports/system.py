"""The operating system of a machine as a value: what decides asks it, and tests pass in any.

`unmoor.adapters.process.system` says which one this machine has.
"""

from __future__ import annotations

from typing import Final

import msgspec


class System(msgspec.Struct, frozen=True, kw_only=True):
    """An operating system, and what a release can do on it.

    ``name`` is that of ``sys.platform``, such as ``win32``; ``title`` is the one for people. ``images`` says whether
    the stages of images run on it, ``unix_sockets`` whether Python can connect to sockets that are files.
    """

    name: str
    title: str
    images: bool = False
    unix_sockets: bool = True

    @property
    def why_no_images(self) -> str:
        """Why this system releases no images; empty if it does."""
        return "" if self.images else f"images are released on Linux only, and this is {self.title}"


LINUX: Final = System(name="linux", title="Linux", images=True)
MACOS: Final = System(name="darwin", title="macOS")
WINDOWS: Final = System(name="win32", title="Windows", unix_sockets=False)
SYSTEMS: Final = (LINUX, MACOS, WINDOWS)
"""The systems that unmoor is written for."""
