"""What vouches for documents in tests that are about something else."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from unmoor.artifacts.belief import Belief, ThisProcess
from unmoor.errors import UnmoorError
from unmoor.filesystem.files import sha256_of
from unmoor.ports.signer import Bundle


def given(*documents: Path) -> Belief:
    """The belief of a user who gave the sha256 of these documents."""
    return Belief(given=frozenset(map(sha256_of, documents)))


class _Everything(ThisProcess):
    def remembers(self, digest: str) -> bool:
        """Whatever it is."""
        del digest
        return True


def anything() -> Belief:
    """The belief of an account that wrote every document."""
    return Belief(notebook=_Everything())


@dataclass
class SignatureList:
    """Judges signatures by a list: the fault of each bundle, or the error of looking. Any other is a bug."""

    faults: dict[Bundle, str | UnmoorError]
    judged: list[Bundle] = field(default_factory=list)

    def fault(self, data: bytes, bundle: Bundle) -> str:
        """What the list says, whatever was signed."""
        del data
        self.judged.append(bundle)
        found = self.faults[bundle]
        if isinstance(found, UnmoorError):
            raise found
        return found
