"""A fake index with given content, for tests that do not test how an index is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from packaging.version import Version

from unmoor.advice import NextStep
from unmoor.errors import Denied
from unmoor.ports.index import (
    AttestedBy,
    Credential,
    Holding,
    ListedFile,
    LoginProbe,
    ProjectStatus,
    Proved,
    Publisher,
    Sending,
)
from unmoor.products import File


@dataclass(frozen=True)
class FakeIndex:
    """An index that holds ``held``, or raises it if it is an exception.

    If ``held`` is a list, each read returns the next item, and then always the last.
    """

    held: Holding | BaseException | list[Holding | BaseException]
    name: str = "pypi"
    page: str = "http://example.org/{project}/{version}/"
    login: str = ""
    known: bool = True
    marker: ProjectStatus = field(default_factory=ProjectStatus)
    minted: bool = False
    wrong: str = ""
    warning: str = ""
    proved: list[LoginProbe] = field(default_factory=list)
    others: Mapping[str, bool] = field(default_factory=dict)
    refuses: str = ""
    attested: Mapping[str, tuple[bytes, ...]] = field(default_factory=dict)

    def credential(self) -> Credential:
        """Return whether there is a login."""
        return Credential(present=bool(self.login), origin=self.login or "nowhere", minted=self.minted)

    def prove_login(self, project: str, upto: LoginProbe) -> Proved:
        """Note how far the probe may go. A minted token proves the login."""
        del project
        self.proved.append(upto)
        if self.wrong:
            raise Denied(self.wrong, next_step=NextStep("correct it"))
        taken = self.minted and upto is LoginProbe.MINTING
        return Proved(taken=taken, detail=f"login from {self.login}", warning=self.warning)

    def status(self, project: str) -> ProjectStatus | None:
        """Return ``marker`` for every project, if the index knows any. Raises `held` if that is an exception."""
        del project
        self.holding("", "")
        return self.marker if self.known else None

    def versions(self, project: str) -> Mapping[Version, bool]:
        """Return the versions in ``others``, with whether each is yanked. Raises `held` if that is an exception."""
        self.holding(project, "")
        return {Version(each): yanked for each, yanked in self.others.items()}

    def holding(self, project: str, version: str) -> Holding:
        """Return ``held`` for every version."""
        del project, version
        held = self.held
        if isinstance(held, list):
            held = held.pop(0) if len(held) > 1 else held[0]
        if isinstance(held, BaseException):
            raise held
        return held

    def why_no_attestations(self) -> str:
        """Return ``refuses``."""
        return self.refuses

    def attestations(self, listed: ListedFile) -> tuple[bytes, ...]:
        """Return those in ``attested``, by the file's name."""
        return self.attested.get(listed.name, ())

    def provenance(self, listed: ListedFile) -> tuple[AttestedBy, ...]:
        """Return those in ``attested``, by no known publisher."""
        return tuple(AttestedBy(publisher=Publisher(kind=""), bundles=(each,)) for each in self.attestations(listed))

    def links(self, project: str, version: str) -> Mapping[str, str]:
        """Return none."""
        del project, version
        return {}

    def send(self, file: File, signature: bytes = b"") -> Sending:
        """Fail: no test may get here."""
        raise AssertionError(file, signature)

    def fetch(self, listed: ListedFile, into: Path) -> File:
        """Fail: no test may get here."""
        raise AssertionError(listed, into)


def listed_files(digests: Mapping[str, str | None], *, yanked: bool = False) -> dict[str, ListedFile]:
    """Return the files of a page of an index, by name."""
    return {name: ListedFile(name=name, url="", sha256=digest, yanked=yanked) for name, digest in digests.items()}
