"""Hashes of files that an index lists without any: downloads and hashes them, within limits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from unmoor.filesystem.temporary import temporary_folder
from unmoor.ports.index import Holding, ListedFile
from unmoor.products import File
from unmoor.util.values import replace

BUDGET = 2 << 30
"""The most bytes to download for one read of the index. Files beyond it stay without a hash."""
_FRESH = 60.0
"""Seconds for which a hash stays valid: an index without hashes may replace a file's bytes."""


class Hashes(msgspec.Struct, frozen=True):
    """Fills in missing hashes.

    ``fetch`` downloads a file into a folder, with a limit in bytes, and raises as `Index.fetch` does.
    """

    fetch: Callable[[ListedFile, Path, int], File]
    known: dict[str, tuple[float, File]] = msgspec.field(default_factory=dict)
    lock: threading.Lock = msgspec.field(default_factory=threading.Lock)

    def filled(self, holding: Holding) -> Holding:
        """The same, with a hash for every file that has one in neither API. Raises `Unknown`, `Denied`."""
        lacking = sorted(
            name for name in holding.names if (listed := holding.listed(name)) is not None and not listed.sha256
        )
        if not lacking:
            return holding
        found: dict[str, str] = {}
        left = BUDGET
        # One thread at a time: several threads ask for the same files.
        with self.lock:
            for name in lacking:
                listed = holding.listed(name)
                if listed is None or left < (listed.size or 1):
                    continue
                file = self._hashed(listed, left)
                left -= file.size
                found[name] = file.sha256
        return Holding(
            simple=_with(holding.simple, found), json=None if holding.json is None else _with(holding.json, found)
        )

    def _hashed(self, listed: ListedFile, most: int) -> File:
        at, file = self.known.get(listed.url, (0.0, None))
        if file is not None and time.monotonic() - at < _FRESH:
            return file
        with temporary_folder() as folder:
            file = self.fetch(listed, folder, most)
        self.known[listed.url] = (time.monotonic(), file)
        return file


def _with(voice: Mapping[str, ListedFile], found: Mapping[str, str]) -> dict[str, ListedFile]:
    return {
        name: replace(listed, sha256=found[name], fetched=True) if name in found else listed
        for name, listed in voice.items()
    }
