"""What a rehearsal releases where there may be no tag yet: which commit, under which tag, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from packaging.version import Version

from unmoor.adapters.git.checkout import GitCheckout
from unmoor.errors import Refused
from unmoor.project import WrittenVersion, guess_version, read_version
from unmoor.project.releasable import refuse_other_version
from unmoor.util.text import clean
from unmoor.versioning import pep440
from unmoor.versioning.tag_scheme import Naming

Kinds = Callable[[], Iterable[str]]


@dataclass(frozen=True, kw_only=True)
class RehearsalTag:
    """A tag on a commit. ``edit`` is the spot that must say ``version`` first, ``None`` where nothing must change."""

    tag: str
    version: Version
    commit: str
    edit: WrittenVersion | None = None
    said: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Chooser:
    """Looks at a checkout; ``kinds`` gives the kinds of the news fragments on HEAD, asked only where they decide."""

    git: GitCheckout
    head: str
    kinds: Kinds
    naming: Naming = field(default_factory=Naming)

    def choose(self, tag: str | None) -> RehearsalTag:
        """Choose what is rehearsed. Raises `Refused` where nothing sensible can be."""
        if tag is None:
            written, scm = self._written()
            return self._from_tags(scm=scm) if written is None else self._from_file(written)
        prefix = self.naming.prefix_of(tag)
        version = pep440.read_tag(tag, prefix=prefix)
        tags = self.git.tags()
        if tag in tags:
            return self._tagged(tag, f"rehearsing the tag {tag}")
        pep440.refuse_twins(tag, version, tags, self.head, prefix=prefix)
        written, scm = self._written()
        said = f"there is no tag {tag} yet: it is made in the rehearsal's own clone, on commit {self.head[:12]}"
        if written is None:
            unread = f"no file says the version in a way that can be read, so the build itself has to say {version}"
            return RehearsalTag(tag=tag, version=version, commit=self.head, said=(said,) if scm else (said, unread))
        if pep440.version_in(written.text) == version:
            return RehearsalTag(tag=tag, version=version, commit=self.head, said=(said,))
        differs = f"{written} says {clean(written.text, 60)}: a commit in that clone alone sets it to {version}"
        return RehearsalTag(tag=tag, version=version, commit=self.head, edit=written, said=(said, differs))

    def _written(self) -> tuple[WrittenVersion | None, bool]:
        """Where HEAD's version is written, and whether it comes from tags instead. Here a likely spot will do."""
        read = partial(self.git.read, self.head)
        written, scm = read_version(read)
        return (written or (None if scm else guess_version(read))), scm

    def _tagged(self, tag: str, why: str) -> RehearsalTag:
        """An existing tag, which must agree with the file at its commit."""
        version, commit = pep440.read_tag(tag, prefix=self.naming.prefix_of(tag)), self.git.tags()[tag]
        written, _ = read_version(partial(self.git.read, commit))
        refuse_other_version(written, tag, version, commit)
        return RehearsalTag(tag=tag, version=version, commit=commit, said=(f"{why}, commit {commit[:12]}",))

    def _from_file(self, written: WrittenVersion) -> RehearsalTag:
        """The version that a file says; the one that follows where that was released already."""
        said = pep440.version_in(written.text)
        if said is None:
            raise Refused(
                f"{clean(written.text, 60)!r} is not a version (PEP 440)",
                where=str(written),
                next_step="write one such as 1.2.3 there; or name the tag to rehearse: unmoor rehearse v1.2.3",
            )
        version = _released_form(said)
        tags = self.git.tags()
        prefix = self.naming.new_prefix(tags)
        spelt = pep440.spellings(version, tags, prefix=prefix)
        twins = [name for name in spelt if not pep440.is_floating(name, prefix=prefix)]
        here = [name for name in twins if tags[name] == self.head]
        if here and version == said:
            return self._tagged(here[-1], f"rehearsing the tag {here[-1]}, which is on the commit that is checked out")
        if twins:
            following = self._free(pep440.next_version(version, self.kinds()))
            told = (
                f"{written} says {clean(written.text, 60)}, and the tag {twins[-1]} named that version already"
                f" on commit {tags[twins[-1]][:12]}: rehearsing {following}, which comes next;"
                " a commit in the rehearsal's own clone alone sets it"
            )
            return self._made(following, edit=written, told=told)
        if version != said:
            told = (
                f"{written} says {clean(written.text, 60)}, which is never released:"
                f" rehearsing {version}; a commit in the rehearsal's own clone alone sets it"
            )
            return self._made(version, edit=written, told=told)
        return self._made(version, edit=None, told=f"rehearsing {version}, the version that {written} says")

    def _from_tags(self, *, scm: bool) -> RehearsalTag:
        """The tag on HEAD, else the version that comes next."""
        tags = self.git.tags()
        here = self.naming.at(tags, self.head)
        if here is not None:
            return self._tagged(here, f"rehearsing the tag {here}, which is on the commit that is checked out")
        prefix = self.naming.new_prefix(tags)
        behind = pep440.release_tags(self._behind(), prefix=prefix) or pep440.release_tags(tags, prefix=prefix)
        current = max(behind.values(), default=None)
        kinds = tuple(self.kinds())
        begun = self._begun()
        if begun is not None and (current is None or begun > current):
            following = self._free(begun)
            told = f"the version comes from tags: rehearsing {following}, which a development tag leads to"
            return self._made(following, edit=None, told=told)
        following = self._free(pep440.next_version(current, kinds))
        source = "the version comes from tags" if scm else "no file says the version in a way that can be read"
        after = f"what comes after {current}" if current is not None else "the first one"
        by = f" by its news fragments ({', '.join(sorted(set(kinds)))})" if kinds and current is not None else ""
        hint = "" if scm else "; if a build says another one, name it: unmoor rehearse TAG"
        return self._made(following, edit=None, told=f"{source}: rehearsing {following}, {after}{by}{hint}")

    def _made(self, version: Version, *, edit: WrittenVersion | None, told: str) -> RehearsalTag:
        tags = self.git.tags()
        tag = f"{pep440.tag_start(tags, prefix=self.naming.new_prefix(tags))}{version}"
        made = f"the tag {tag} is made in the rehearsal's own clone, on commit {self.head[:12]}"
        return RehearsalTag(tag=tag, version=version, commit=self.head, edit=edit, said=(told, made))

    def _free(self, version: Version) -> Version:
        """The version, or the first patch after it that no tag names."""
        tags = self.git.tags()
        taken = set(pep440.release_tags(tags, prefix=self.naming.new_prefix(tags)).values())
        while version in taken:
            version = pep440.next_version(version)
        return version

    def _begun(self) -> Version | None:
        """The version that the highest development tag behind HEAD leads to: 1.3.0.dev0 begins the work on 1.3.0."""
        behind = self._behind()
        prefix = self.naming.new_prefix(behind)
        found = (pep440.version_in(name.removeprefix(prefix)) for name in behind if name.startswith(prefix))
        highest = max((each for each in found if each is not None and each.is_devrelease), default=None)
        return None if highest is None else _released_form(highest)

    def _behind(self) -> list[str]:
        """The tags of commits that HEAD stands on: a branch of old fixes goes on from its own releases."""
        ran = self.git.git.run(
            "for-each-ref", f"--merged={self.head}", "--format=%(refname)", "refs/tags", cwd=self.git.folder
        )
        return [ref.removeprefix("refs/tags/") for ref in ran.out.split("\n") if ref]


def _released_form(version: Version) -> Version:
    """A version without its development and local parts: 1.3.0.dev0 leads to 1.3.0, 1.3rc1.dev2 to 1.3rc1."""
    return Version(version.public.partition(".dev")[0])
