"""The findings about logins, permissions and names before anything is built."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Certainty(StrEnum):
    """How far a credential or a name could be proven without writing anything.

    ``doubtful`` is unproven, with a reason to expect a refusal.
    """

    PROVEN = "proven"
    UNPROVEN = "unproven"
    DOUBTFUL = "doubtful"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The result of one check of ``access``. ``proven_by`` names the stage that proves one that is not proven."""

    surface: str
    certainty: Certainty
    detail: str
    proven_by: str = ""


@dataclass(frozen=True, kw_only=True)
class Access:
    """The findings about every login, permission and name."""

    findings: tuple[Finding, ...]

    @property
    def summary(self) -> str:
        """How many findings are proven, in one line."""
        proven = sum(finding.certainty is Certainty.PROVEN for finding in self.findings)
        return f"{proven} proven, {len(self.findings) - proven} only provable by using them"
