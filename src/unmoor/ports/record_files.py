"""The files of a store of records, wherever they are: read at one moment, and changed only if nobody else did since."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec


class FilesState(msgspec.Struct, frozen=True, kw_only=True):
    """The files at one moment. ``version`` names that moment, empty if there is no store yet.

    ``ids`` are what tells the content of each file from another one, by path.
    """

    version: str = ""
    ids: Mapping[str, str] = msgspec.field(default_factory=dict)


class RecordFiles(Protocol):
    """The files of one store. Every method raises `Denied` and `Unknown` if it cannot be reached."""

    @property
    def where(self) -> str:
        """The place, as text for messages."""

    def state(self) -> FilesState:
        """Look which files there are. Raises `Refused` if the place is used for something else."""

    def read(self, state: FilesState, path: str) -> bytes:
        """Read a file of a state. Raises `Unknown` if it changed since."""

    def write(self, state: FilesState, files: Mapping[str, bytes], message: str) -> bool:
        """Replace or add files, if the store still is in this state: each whole, and on a branch all in one commit.

        Returns false, and changes nothing, if another writer was faster. Raises `Rejected` if the forge refuses it.
        """
