"""Scanners: programs that know which versions of packages have known vulnerabilities."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import msgspec


class Requirements(msgspec.Struct, frozen=True, kw_only=True):
    """What a wheel says that it needs: its ``METADATA`` as written, and from it what a resolver is asked for.

    ``python`` is ``Requires-Python``, empty if it is missing.
    """

    project: str
    version: str
    metadata: bytes
    extras: tuple[str, ...] = ()
    python: str = ""


class Vulnerability(msgspec.Struct, frozen=True, kw_only=True):
    """A known vulnerability of one version of a package. ``aliases`` are the ids that other databases give it.

    ``fixed`` are the versions in which it is fixed, ``url`` is a page about it; empty if the scanner does not say.
    """

    id: str
    package: str
    version: str
    aliases: tuple[str, ...] = ()
    summary: str = ""
    fixed: tuple[str, ...] = ()
    url: str = ""


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """What a scanner found in a number of packages. ``notes`` are what it warns about besides."""

    scanner: str
    packages: int
    vulnerabilities: tuple[Vulnerability, ...] = ()
    notes: tuple[str, ...] = ()


class DependencyScanner(Protocol):
    """Resolves what a wheel needs, and asks a service for the known vulnerabilities of it."""

    @property
    def asks(self) -> str:
        """The service that gets the names and versions of the packages, for messages."""

    def audit(self, needs: Requirements, *, patience: float) -> Audit:
        """Scan within ``patience`` seconds. Runs no code of the packages.

        Raises `Unknown`, `Denied` or `ToolMissing` if no scanner gives a whole answer, which is never one without
        findings.
        """


class ImageScanner(Protocol):
    """Finds the packages in an image, and their known vulnerabilities, by a program of the user's."""

    @property
    def program(self) -> str:
        """The program that scans, empty if none is installed."""

    def audit(self, archive: Path, *, patience: float) -> Audit:
        """Scan an image in an archive, as an engine saves it. Raises as `DependencyScanner.audit` does."""


class Scanners(msgspec.Struct, frozen=True, kw_only=True):
    """The scanners of a world: ``None`` in one in which no service may be asked.

    ``images`` is ``None`` in a rehearsal, too: what a scanner of images knows comes from a public place.
    """

    dependencies: DependencyScanner | None = None
    images: ImageScanner | None = None
