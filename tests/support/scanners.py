"""A scanner that answers what a test gives it."""

from __future__ import annotations

from dataclasses import dataclass, field

from unmoor.errors import UnmoorError
from unmoor.ports.scanner import Audit, Requirements, Vulnerability


def vulnerability(one: str = "CVE-1", *, package: str = "idna", version: str = "3.6") -> Vulnerability:
    """Return a vulnerability."""
    return Vulnerability(id=one, package=package, version=version, summary="it hangs", fixed=("3.7",))


@dataclass
class FakeScanner:
    """Gives the same answer to every question, or raises it, and counts the questions."""

    answer: Audit | UnmoorError
    asks: str = "a service"
    patience: list[float] = field(default_factory=list)

    def audit(self, needs: Requirements, *, patience: float) -> Audit:
        """Give the answer."""
        assert needs.metadata
        self.patience.append(patience)
        if isinstance(self.answer, UnmoorError):
            raise self.answer
        return self.answer
