"""What a scan found in the built files and images, and what it cannot tell."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

import msgspec

from unmoor.util.text import clean, count_of, list_some


class Level(StrEnum):
    """How much a finding counts: ``error`` stops a release, ``warning`` is reported, ``note`` is only listed."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class ScanFinding(msgspec.Struct, frozen=True, kw_only=True):
    """A secret in a built file, or a known vulnerability in what a file or an image needs.

    ``id`` is what the setting ``ignore`` names: that of an advisory, or the rule and the path of a secret's file in it.
    ``file`` is the built file or image, ``path`` a member of it. A vulnerability has ``package``, ``version`` and the
    versions in which it is ``fixed``. ``ignored`` is the reason of the settings, empty if the finding counts.
    """

    id: str
    rule: str
    what: str
    file: str
    level: Level
    path: str = ""
    line: int = 0
    package: str = ""
    version: str = ""
    aliases: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    url: str = ""
    ignored: str = ""
    until: date | None = None

    @property
    def is_secret(self) -> bool:
        """Whether this is a secret; any other finding is a vulnerability."""
        return bool(self.path)

    @property
    def ids(self) -> frozenset[str]:
        """The id and its aliases, in lower case: all databases' names of one vulnerability."""
        return frozenset(each.lower() for each in (self.id, *self.aliases))


class Unscanned(msgspec.Struct, frozen=True, kw_only=True):
    """What could not be scanned: the ``kind`` of finding, as the settings name it, and why."""

    kind: str
    why: str


class Scanned(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a scan. ``unknown`` says what could not be scanned, ``skipped`` what nobody was asked about.

    ``files`` are the names of the files that were read, ``packages`` counts those that a service was asked about,
    ``notes`` is what the scanners warn about besides.
    """

    findings: tuple[ScanFinding, ...] = ()
    files: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    packages: int = 0
    unknown: tuple[Unscanned, ...] = ()
    skipped: tuple[str, ...] = ()

    @property
    def counting(self) -> tuple[ScanFinding, ...]:
        """The findings that are neither ignored nor only listed."""
        return tuple(each for each in self.findings if not each.ignored and each.level is not Level.NOTE)

    @property
    def samples(self) -> str:
        """The keys that are only listed, because only tests or documentation read them; empty if there is none."""
        noted = [f"{each.what} in {clean(each.path)}" for each in self.findings if each.level is Level.NOTE]
        return list_some(list(dict.fromkeys(noted)), 3)

    @property
    def summary(self) -> str:
        """How many files and packages were scanned, and what was found, in one line."""
        looked = [count_of(len(self.files), "file")] if self.files else []
        looked += [count_of(self.packages, "package")] if self.packages else []
        ignored = sum(bool(each.ignored) for each in self.findings)
        found = count_of(len(self.counting), "finding") if self.counting else "nothing found"
        more = [f"{ignored} ignored"] if ignored else []
        more += [f"not known: {', '.join(sorted({each.kind for each in self.unknown}))}"] if self.unknown else []
        more += [f"not scanned: {', '.join(self.skipped)}"] if self.skipped else []
        return "; ".join([f"{', '.join(looked) or 'nothing to scan'}: {found}", *more])
