"""A store in a folder of this machine. One process at a time writes, which a lock in the folder makes sure of."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from unmoor import advice
from unmoor.errors import Refused, Unknown
from unmoor.filesystem.files import read_regular, write_atomic
from unmoor.filesystem.locks import exclusive_lock
from unmoor.filesystem.safe_folder import make_folder
from unmoor.metrics.records import BY_FOLDER
from unmoor.metrics.store.lines import LARGEST_FILE
from unmoor.ports.record_files import FilesState
from unmoor.util.text import clean

LOCK: Final = ".lock"
"""The name of the file that is locked while somebody writes."""
_MOST_FILES: Final = 20_000


@dataclass(frozen=True, kw_only=True)
class FolderFiles:
    """Implements `unmoor.ports.record_files.RecordFiles`."""

    folder: Path

    @property
    def where(self) -> str:
        """The path of the folder."""
        return clean(str(self.folder), 1000)

    def state(self) -> FilesState:
        """The files in the folders of records; what the system says about each tells it from another one."""
        ids = dict(self._entries())
        return FilesState(version="here" if self.folder.is_dir() else "", ids=ids)

    def _entries(self) -> Iterator[tuple[str, str]]:
        count = 0
        for name in sorted(BY_FOLDER):
            try:
                entries = sorted(os.scandir(self.folder / name), key=lambda each: each.name)
            except FileNotFoundError:
                continue
            except NotADirectoryError:
                raise self._strange(name, "no folder") from None
            for entry in entries:
                if entry.name.startswith("."):  # what a write that was killed left, or a file browser
                    continue
                found = entry.stat(follow_symlinks=False)
                if not stat.S_ISREG(found.st_mode):
                    raise self._strange(f"{name}/{entry.name}", "no file")
                count += 1
                if count > _MOST_FILES:
                    raise self._strange(name, f"one of more than {_MOST_FILES} files")
                yield f"{name}/{entry.name}", f"{found.st_ino}-{found.st_mtime_ns}-{found.st_size}"

    def _strange(self, path: str, what: str) -> Refused:
        return Refused(f"{clean(path, 200)} is {what}", where=self.where, next_step=advice.REMOVE_FROM_STORE())

    def read(self, state: FilesState, path: str) -> bytes:
        """Read a file as it is now. One byte more than the limit shows that it is too large."""
        del state
        try:
            return read_regular(self.folder / path, LARGEST_FILE + 1)
        except FileNotFoundError as error:
            raise Unknown("the file was removed meanwhile", where=clean(str(self.folder / path), 1000)) from error

    def write(self, state: FilesState, files: Mapping[str, bytes], message: str) -> bool:
        """Replace files, each whole, if those of the same months are as they were."""
        del message
        make_folder(self.folder)
        try:
            with exclusive_lock(self.folder, name=LOCK, next_step=advice.WAIT_FOR_OTHER_RUN()):
                if self.state().ids != state.ids:
                    return False
                for path, data in files.items():
                    write_atomic(self.folder / path, data)
        except Refused as error:
            if advice.WAIT_FOR_OTHER_RUN.id in error.advice_ids:
                return False
            raise
        return True
