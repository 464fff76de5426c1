"""An index as a value: what it holds is data, since how it is read is another's test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from packaging.version import Version

from unmoor.errors import Denied
from unmoor.ports.index import Credential, Holding, ListedFile, LoginProbe, Proved, Sending
from unmoor.products import File


@dataclass(frozen=True)
class FakeIndex:
    """An index that holds what it is told to hold, or says why it cannot be read.

    More than one thing to hold: each look sees the next, and the last stays.
    """

    held: Holding | BaseException | list[Holding | BaseException]
    name: str = "pypi"
    page: str = "http://example.org/{project}/{version}/"
    login: str = ""
    known: bool = True
    minted: bool = False
    wrong: str = ""
    proved: list[LoginProbe] = field(default_factory=list)
    others: Mapping[str, bool] = field(default_factory=dict)

    def credential(self) -> Credential:
        """Whether there is a login."""
        return Credential(present=bool(self.login), origin=self.login or "nowhere", minted=self.minted)

    def prove_login(self, project: str, upto: LoginProbe) -> Proved:
        """Note how far it goes; what is minted is taken."""
        del project
        self.proved.append(upto)
        if self.wrong:
            raise Denied(self.wrong, next_step="correct it")
        return Proved(taken=self.minted and upto is LoginProbe.MINTING, detail=f"login from {self.login}")

    def knows(self, project: str) -> bool:
        """Whether it has any project, if it can be read."""
        del project
        self.holding("", "")
        return self.known

    def versions(self, project: str) -> Mapping[Version, bool]:
        """The versions it is told, if it can be read; which of them are yanked."""
        self.holding(project, "")
        return {Version(each): yanked for each, yanked in self.others.items()}

    def holding(self, project: str, version: str) -> Holding:
        """What it holds of any version."""
        del project, version
        held = self.held
        if isinstance(held, list):
            held = held.pop(0) if len(held) > 1 else held[0]
        if isinstance(held, BaseException):
            raise held
        return held

    def send(self, file: File) -> Sending:
        """Never."""
        raise AssertionError(file)

    def fetch(self, listed: ListedFile, into: Path) -> File:
        """Never."""
        raise AssertionError(listed, into)


def listed_files(digests: Mapping[str, str | None], *, yanked: bool = False) -> dict[str, ListedFile]:
    """The files of one page of an index, by name."""
    return {name: ListedFile(name=name, url="", sha256=digest, yanked=yanked) for name, digest in digests.items()}
