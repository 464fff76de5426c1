"""How the files of a release were made."""

from __future__ import annotations

import msgspec

from unmoor.products.dists import Subject
from unmoor.util.text import count_of


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """The unsigned provenance of a release's files, as it is before anybody says who vouches for it.

    ``statement`` is an in-toto statement (v1) with SLSA provenance, as JSON; ``subjects`` are the files in it, and
    ``tools`` is the number of tools and packages that it names.
    """

    statement: bytes
    subjects: tuple[Subject, ...]
    tools: int

    @property
    def summary(self) -> str:
        """What it names, in one line."""
        return f"{count_of(len(self.subjects), 'file')}, made with {count_of(self.tools, 'tool')}"
