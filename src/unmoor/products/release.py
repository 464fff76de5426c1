"""What is released: one tag of one repository, and the notes that go with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import msgspec

from unmoor.util.text import clean, count_of

# 1980-01-01, in seconds since 1970.
_EARLIEST: Final = 315_532_800


@dataclass(frozen=True, kw_only=True)
class Release:
    """One tag of one repository.

    ``version`` is canonical PEP 440, ``commit`` 40 hexadecimal digits, ``date`` the commit's time
    in seconds since 1970, ``repository`` ``owner/name``, ``project`` the name as the project writes it.
    ``prefix`` is the part of the tag before the version and its ``v``. ``path`` is the project's folder
    in the repository, empty for the top. ``settings`` is the name and sha256 of the settings file,
    empty if the settings come from the commit.
    """

    repository: str
    project: str
    tag: str
    version: str
    commit: str
    date: int
    prerelease: bool
    highest: bool
    previous: str | None = None
    prefix: str = ""
    path: str = ""
    settings: str = field(default="", compare=False)

    @property
    def bare_tag(self) -> str:
        """The tag without the project's prefix: ``v1.2`` of ``pkg-v1.2``."""
        return self.tag.removeprefix(self.prefix)

    @property
    def build_date(self) -> int:
        """The time of built files: the commit's, but not before 1980, where the times of ZIP files begin."""
        return max(self.date, _EARLIEST)

    @property
    def summary(self) -> str:
        """The project, its version and its commit, in one line."""
        kind = "prerelease" if self.prerelease else "final, the highest" if self.highest else "final"
        named = f"{self.project} {self.version}".rstrip()  # a commit that is no release has no version
        return f"{named} at {self.commit[:12]} ({kind})"


class Notes(msgspec.Struct, frozen=True, kw_only=True):
    """The release notes as they will be published: Markdown, at most 123,000 characters.

    ``full`` is the whole text if ``body`` had to be cut, else equal to ``body``.
    ``source`` says, as text, where they came from.
    """

    body: str
    full: str
    source: str

    @property
    def summary(self) -> str:
        """The number of lines and the source of the notes, in one line."""
        return f"{count_of(len(self.body.splitlines()), 'line')} from {clean(self.source)}"
