"""The built files: wheels and sdists, each with its digest."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from unmoor.util.text import count_of, size


@dataclass(frozen=True, kw_only=True)
class File:
    """One built file. ``sha256`` is in lower-case hexadecimal, ``size`` in bytes."""

    name: str
    sha256: str
    size: int
    path: Path = field(compare=False)

    @property
    def is_wheel(self) -> bool:
        """Whether this is a wheel (PEP 427). Any other file is an sdist (PEP 625)."""
        return self.name.endswith(".whl")


class Tool(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A program or library that took part in the build.

    ``sha256`` is that of the wheel which was installed, in lower-case hexadecimal; empty if it is not known.
    """

    name: str
    version: str
    sha256: str = ""


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """A file or image that was tested or signed, by its name and its sha256 in lower-case hexadecimal."""

    name: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Dists:
    """The built files, wheels first, each kind sorted by name.

    ``decisions`` lists, as text, the settings that differ from the defaults, such as ``wheel-from = tree``.
    ``vouched`` is false for files that are public already, by a manifest that nothing vouches for.
    """

    files: tuple[File, ...]
    vouched: bool = field(default=True, compare=False)
    tools: tuple[Tool, ...] = field(default=(), compare=False)
    decisions: tuple[str, ...] = field(default=(), compare=False)

    @property
    def wheels(self) -> tuple[File, ...]:
        """The wheels."""
        return tuple(file for file in self.files if file.is_wheel)

    @property
    def sdists(self) -> tuple[File, ...]:
        """The source distributions, usually one."""
        return tuple(file for file in self.files if not file.is_wheel)

    @property
    def summary(self) -> str:
        """The number of files and their total size, in one line."""
        return f"{count_of(len(self.files), 'file')}, {size(sum(file.size for file in self.files))}"


class CheckedDists(msgspec.Struct, frozen=True, kw_only=True):
    """The digests that passed ``check-dists``. ``local`` are the names of files that only a lenient index accepts."""

    subjects: tuple[Subject, ...]
    local: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        """How many files passed, in one line."""
        return f"{count_of(len(self.subjects), 'file')} fit for the index"
