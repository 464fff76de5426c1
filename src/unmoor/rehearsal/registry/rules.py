"""Who may do what with which package of the local registry, and the faults that can be asked for.

Everything is a file in the registry's folder, read at each request; a missing one changes nothing:

- ``private``: names, one a line, of packages that only a login may pull; ``*`` means all of them;
- ``foreign``: names of packages that our logins may not write;
- ``popular``: digests of package versions with more than 5,000 downloads, which cannot be deleted;
- ``no-admin``: names of packages whose versions our logins may not delete;
- ``faults/KIND``: see `Fault`. What stands in the file must occur in ``METHOD PATH``; an empty file strikes always.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from unmoor.rehearsal.registry.site import Site
from unmoor.rehearsal.registry.tokens import Access
from unmoor.rehearsal.shared import store

GHCR = "ghcr.io"
ACTIONS = ("pull", "push", "delete")
_PATH = re.compile(r"/v2/(?P<name>.+)/(?P<kind>manifests|tags|blobs)/(?P<rest>uploads/[^/]*|[^/]+)")
_NAME = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


class Who(StrEnum):
    """Who asks; it is the subject of a token too."""

    NOBODY = ""
    READER = "reader"
    WRITER = "writer"


class Fault(StrEnum):
    """What can go wrong on request: the name of a control file. The first three strike once, and the file is gone."""

    BUSY = "busy"  # 429, to be asked again in a second
    LOST_REPLY = "lost-reply"  # a manifest is stored, and the connection closed in place of an answer
    RESET = "reset"  # the connection is reset when half of a blob was sent
    BROKEN = "broken"  # 500
    REFUSE_WRITE = "refuse-write"  # nobody may write
    IMMUTABLE = "immutable"  # a tag cannot be given to another digest


ONCE = frozenset({Fault.BUSY, Fault.LOST_REPLY, Fault.RESET})


@dataclass(frozen=True, kw_only=True)
class Place:
    """What the path of a request names: a package, ``manifests``, ``blobs`` or ``tags``, and what of it."""

    name: str
    kind: str
    rest: str

    @classmethod
    def of(cls, path: str) -> Place | None:
        """Read a path, ``None`` where it names no package."""
        match = _PATH.fullmatch(path)
        return cls(name=match["name"], kind=match["kind"], rest=match["rest"]) if match else None


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The rules of one registry. ``owner`` is whose packages our logins may write on GHCR, in small letters."""

    site: Site
    owner: str

    @property
    def is_ghcr(self) -> bool:
        """Whether GHCR's own rules hold; any other registry just follows the tokens."""
        return self.site.host == GHCR

    def exists(self, name: str) -> bool:
        """Whether a package has a version."""
        revisions = self.site.repositories / name / "_manifests" / "revisions" / "sha256"
        return _NAME.fullmatch(name) is not None and revisions.is_dir() and any(revisions.iterdir())

    def is_public(self, name: str) -> bool:
        """Whether everybody may pull a package. What is not there is not public."""
        return not self._listed("private").intersection({"*", name}) and self.exists(name)

    def is_foreign(self, name: str) -> bool:
        """Whether a package is somebody else's."""
        return name in self._listed("foreign") or (self.is_ghcr and not name.startswith(f"{self.owner}/"))

    def is_popular(self, digest: str) -> bool:
        """Whether a version was downloaded too often to be deleted."""
        return digest in self._listed("popular")

    def may_administer(self, name: str) -> bool:
        """Whether our logins may delete a package's versions."""
        return not self.is_foreign(name) and name not in self._listed("no-admin")

    def may_pull(self, who: Who, name: str) -> bool:
        """Whether somebody may read a package."""
        return (who is not Who.NOBODY and not self.is_foreign(name)) or self.is_public(name)

    def may_push(self, who: Who, name: str) -> bool:
        """Whether somebody may write a package."""
        return who is Who.WRITER and not self.is_foreign(name) and not self._fault_file(Fault.REFUSE_WRITE).exists()

    def granted(self, who: Who, asked: list[Access]) -> list[Access]:
        """What somebody gets of what a token is asked for: of each scope its part."""
        found = []
        for each in asked:
            wanted = ACTIONS if "*" in each.actions else each.actions
            may = {
                "pull": self.may_pull(who, each.name),
                "push": self.may_push(who, each.name),
                "delete": self.may_push(who, each.name) and not self.is_ghcr,
            }
            actions = tuple(action for action in wanted if may.get(action, False))
            if each.type == "repository" and actions:
                found.append(Access(each.type, each.name, actions))
        return found

    def digest_of(self, name: str, tag: str) -> str:
        """The digest that a tag has, empty where there is no such tag."""
        if not _NAME.fullmatch(name) or not _TAG.fullmatch(tag):
            return ""
        link = self.site.repositories / name / "_manifests" / "tags" / tag / "current" / "link"
        return link.read_text().strip() if link.is_file() else ""

    def strikes(self, fault: Fault, request: str) -> bool:
        """Whether a fault is due at a request, ``METHOD PATH``; one that strikes once is used up by this."""
        file = self._fault_file(fault)
        try:
            if file.read_text().strip() not in request:
                return False
            if fault in ONCE:
                file.unlink()
        except FileNotFoundError:
            return False
        return True

    def _fault_file(self, fault: Fault) -> Path:
        return self.site.folder / "faults" / fault

    def _listed(self, control: str) -> frozenset[str]:
        return store.lines(self.site.folder / control)
