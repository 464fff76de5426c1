"""What vouches for documents in tests that are about something else."""

from __future__ import annotations

from pathlib import Path

from unmoor.artifacts.belief import Belief
from unmoor.util.files import sha256_of


def given(*documents: Path) -> Belief:
    """The belief of a user who gave the sha256 of these documents."""
    return Belief(given=frozenset(map(sha256_of, documents)))
