"""The permissions on packages of the local registry, and what else it refuses.

Each is a file in the registry's folder, read at every request; a missing file changes nothing:

- ``private``: names, one a line, of packages that need a login to pull; ``*`` means all of them;
- ``foreign``: names of packages that the logins must not write;
- ``popular``: digests of package versions with more than 5,000 downloads, which cannot be deleted;
- ``no-admin``: names of packages whose versions the logins must not delete;
- ``no-referrers``: the registry has no referrers API; GHCR never has one;
- ``refuse-write``: nobody can write;
- ``immutable``: a tag cannot move to another digest.
"""

from __future__ import annotations

import re
from enum import StrEnum

import msgspec

from unmoor.rehearsal.registry.site import Site
from unmoor.rehearsal.registry.tokens import Access
from unmoor.rehearsal.shared import store

GHCR = "ghcr.io"
ACTIONS = ("pull", "push", "delete")
_PATH = re.compile(r"/v2/(?P<name>.+)/(?P<kind>manifests|tags|blobs|referrers)/(?P<rest>uploads/[^/]*|[^/]+)")
_NAME = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


class Who(StrEnum):
    """The sender of a request; also the subject of a token."""

    NOBODY = ""
    STRANGER = "stranger"  # logged in, without any permission on a package
    READER = "reader"
    WRITER = "writer"


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a request's path: a package, a kind such as ``manifests`` or ``referrers``, and a reference."""

    name: str
    kind: str
    rest: str

    @classmethod
    def of(cls, path: str) -> Endpoint | None:
        """Parse a path; ``None`` if it names no package."""
        match = _PATH.fullmatch(path)
        return cls(name=match["name"], kind=match["kind"], rest=match["rest"]) if match else None


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of one registry. ``owner``, in lower case, owns the packages that the logins can write on GHCR."""

    site: Site
    owner: str

    @property
    def is_ghcr(self) -> bool:
        """Whether GHCR's own rules apply; any other registry only follows the tokens."""
        return self.site.host == GHCR

    @property
    def lists_referrers(self) -> bool:
        """Whether the registry has the referrers API."""
        return not self.is_ghcr and not self._has("no-referrers")

    def exists(self, name: str) -> bool:
        """Whether a package has a version."""
        revisions = self.site.repositories / name / "_manifests" / "revisions" / "sha256"
        return _NAME.fullmatch(name) is not None and revisions.is_dir() and any(revisions.iterdir())

    def is_public(self, name: str) -> bool:
        """Whether everybody may pull a package. What is not there is not public."""
        return not self._control_lines("private").intersection({"*", name}) and self.exists(name)

    def is_foreign(self, name: str) -> bool:
        """Whether a package belongs to somebody else."""
        return name in self._control_lines("foreign") or (self.is_ghcr and not name.startswith(f"{self.owner}/"))

    def is_popular(self, digest: str) -> bool:
        """Whether a version has too many downloads to be deleted."""
        return digest in self._control_lines("popular")

    def may_administer(self, name: str) -> bool:
        """Whether the logins may delete a package's versions."""
        return not self.is_foreign(name) and name not in self._control_lines("no-admin")

    def may_pull(self, who: Who, name: str) -> bool:
        """Whether somebody may read a package."""
        return (who in {Who.READER, Who.WRITER} and not self.is_foreign(name)) or self.is_public(name)

    def may_push(self, who: Who, name: str) -> bool:
        """Whether somebody may write a package."""
        return who is Who.WRITER and not self.is_foreign(name) and not self._has("refuse-write")

    def grant(self, who: Who, requested: list[Access]) -> list[Access]:
        """Return the permitted part of each requested scope."""
        found = []
        for each in requested:
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
        """Return the digest of a tag; empty if there is no such tag."""
        if not _NAME.fullmatch(name) or not _TAG.fullmatch(tag):
            return ""
        link = self.site.repositories / name / "_manifests" / "tags" / tag / "current" / "link"
        return link.read_text("utf-8").strip() if link.is_file() else ""

    @property
    def keeps_tags(self) -> bool:
        """Whether a tag cannot move to another digest."""
        return self._has("immutable")

    def _has(self, control: str) -> bool:
        return (self.site.folder / control).exists()

    def _control_lines(self, control: str) -> frozenset[str]:
        return store.lines(self.site.folder / control)
