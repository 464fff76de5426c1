"""The files of the release on a package index."""

from __future__ import annotations

import msgspec

from unmoor.products.dists import Subject
from unmoor.util.text import count_of


class Uploaded(msgspec.Struct, frozen=True, kw_only=True):
    """The files that an index holds, read back from it by digest."""

    index: str
    files: tuple[Subject, ...]

    @property
    def summary(self) -> str:
        """The number of files and the index, in one line."""
        return f"{count_of(len(self.files), 'file')} on {self.index}"
