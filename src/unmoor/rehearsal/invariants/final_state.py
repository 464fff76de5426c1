"""What the servers of a world hold at an end, without times, numbers and the order of anything."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from unmoor.rehearsal.invariants.stores import read_index


class FinalState(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a world: ``indexes`` are the sha256 of files by index, project and name."""

    indexes: Mapping[str, Mapping[str, Mapping[str, str]]]

    @classmethod
    def of(cls, world: Path) -> FinalState:
        """Read the state of a world."""
        indexes = {
            name: {project.name: {file.name: file.digests.sha256 for file in project.files} for project in projects}
            for name in ("pypi", "testpypi")
            if (projects := read_index(world / name))
        }
        return cls(indexes=indexes)
