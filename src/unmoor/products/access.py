"""The findings about logins, permissions and names before anything is built."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from unmoor.util.text import clean

# At most this many files are named; the others are counted.
_MAX_NAMES = 3


class Certainty(StrEnum):
    """How far a credential or a name could be proven without writing anything.

    ``doubtful`` is unproven, with a reason to expect a refusal.
    """

    PROVEN = "proven"
    UNPROVEN = "unproven"
    DOUBTFUL = "doubtful"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one check of ``access``. ``proven_by`` names the stage that proves one that is not proven.

    ``held`` are the files of this version that the surface holds already.
    """

    surface: str
    certainty: Certainty
    detail: str
    proven_by: str = ""
    held: tuple[str, ...] = ()


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """The findings about every login, permission and name."""

    findings: tuple[Finding, ...]

    @property
    def summary(self) -> str:
        """How many findings are proven, and what is there already, in one line."""
        proven = sum(finding.certainty is Certainty.PROVEN for finding in self.findings)
        there = [f"{each.surface} holds {_named(each.held)} already" for each in self.findings if each.held]
        return "; ".join((f"{proven} proven, {len(self.findings) - proven} only provable by using them", *there))


def _named(names: tuple[str, ...]) -> str:
    """Name some files, and count the others."""
    more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
    return f"{', '.join(clean(name) for name in names[:_MAX_NAMES])}{more}"
