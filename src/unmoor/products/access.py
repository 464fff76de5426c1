"""What is known of logins, permissions and names before anything is built."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Certainty(StrEnum):
    """How far a credential or a name could be proven without writing anything."""

    PROVEN = "proven"
    UNPROVEN = "unproven"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing `access` looked at: ``proven_by`` names the stage that will prove an unproven one."""

    surface: str
    standing: Certainty
    detail: str
    proven_by: str = ""


@dataclass(frozen=True, kw_only=True)
class Access:
    """What was found out about every login, permission and name before anything is built."""

    findings: tuple[Finding, ...]

    @property
    def summary(self) -> str:
        """How many were proven, in one line."""
        proven = sum(finding.standing is Certainty.PROVEN for finding in self.findings)
        return f"{proven} proven, {len(self.findings) - proven} only provable by using them"
