"""Choose what a rehearsal releases, even if there is no tag yet: which commit, under which tag, and why."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from functools import partial

import msgspec
from packaging.version import Version

from unmoor import advice
from unmoor.adapters.git.checkout import GitCheckout
from unmoor.errors import Refused
from unmoor.project import WrittenVersion, guess_version, read_version
from unmoor.project.releasable import refuse_other_version
from unmoor.util.text import clean
from unmoor.versioning import pep440
from unmoor.versioning.tag_scheme import Naming

Kinds = Callable[[], Iterable[str]]


class RehearsalTag(msgspec.Struct, frozen=True, kw_only=True):
    """A tag on a commit. ``edit`` is where ``version`` must be written first; ``None`` if nothing changes."""

    tag: str
    version: Version
    commit: str
    edit: WrittenVersion | None = None
    messages: tuple[str, ...] = ()


class BuiltFiles(msgspec.Struct, frozen=True, kw_only=True):
    """The version of files that another tool built, and the folder that holds them."""

    version: Version
    folder: str


class Chooser(msgspec.Struct, frozen=True, kw_only=True):
    """Chooses by a checkout. ``kinds`` returns the kinds of the news fragments on HEAD; called only if they matter."""

    git: GitCheckout
    head: str
    kinds: Kinds
    naming: Naming = msgspec.field(default_factory=Naming)

    def choose(self, tag: str | None, built: BuiltFiles | None = None) -> RehearsalTag:
        """Choose what to rehearse: what was ``built``, if given. Raises `Refused` if there is nothing sensible."""
        if built is not None:
            self._refuse_other_files(tag, built)
            if tag is None:
                return self._from_built(built)
        if tag is None:
            written, scm = self._written_version()
            return self._from_tags(scm=scm) if written is None else self._from_file(written)
        prefix = self.naming.prefix_of(tag)
        version = pep440.read_tag(tag, prefix=prefix)
        tags = self.git.tags()
        if tag in tags:
            return self._existing_tag(tag, f"rehearsing the tag {tag}")
        pep440.refuse_twins(tag, version, tags, self.head, prefix=prefix)
        written, scm = self._written_version()
        note = f"there is no tag {tag} yet: the rehearsal makes it in its own clone, on commit {self.head[:12]}"
        if written is None:
            unread = f"no file has a readable version, so the build itself must give {version}"
            return RehearsalTag(tag=tag, version=version, commit=self.head, messages=(note,) if scm else (note, unread))
        if pep440.version_in(written.text) == version:
            return RehearsalTag(tag=tag, version=version, commit=self.head, messages=(note,))
        differs = f"{written} says {clean(written.text, 60)}: a commit in that clone only sets it to {version}"
        return RehearsalTag(tag=tag, version=version, commit=self.head, edit=written, messages=(note, differs))

    def _refuse_other_files(self, tag: str | None, built: BuiltFiles) -> None:
        """Raise `Refused` if the files are of a version that no release has, or of another one than the tag's."""
        if reason := pep440.why_unreleasable(built.version):
            released = _released_form(Version(built.version.public))
            raise Refused(
                f"the files cannot be released: {reason}",
                where=built.folder,
                next_step=advice.BUILD_AS_RELEASE(version=released, tag=self._tag_for(released)),
            )
        named = built.version if tag is None else pep440.read_tag(tag, prefix=self.naming.prefix_of(tag))
        if named != built.version:
            raise Refused(
                f"the files are of version {built.version}, but the tag {tag} names {named}",
                where=built.folder,
                next_step=advice.BUILD_AT_TAG(tag=tag, version=built.version),
            )

    def _from_built(self, built: BuiltFiles) -> RehearsalTag:
        """Choose the tag of files that were built already, or make one for them on HEAD."""
        tags = self.git.tags()
        prefix = self.naming.new_prefix(tags)
        spelt = pep440.spellings(built.version, tags, prefix=prefix)
        twins = [name for name in spelt if not pep440.is_floating(name, prefix=prefix)]
        reason = f"{clean(built.folder)} holds files of version {built.version}"
        if twins:
            name = max(twins, key=lambda each: tags[each] == self.head)
            return self._existing_tag(name, f"{reason}: rehearsing the tag {name}")
        written, _ = read_version(partial(self.git.read, self.head))
        if written is not None and pep440.version_in(written.text) != built.version:
            raise Refused(
                f"the files are of version {built.version}, but {written} says {clean(written.text, 60)}, and no tag"
                f" names {built.version}",
                where=built.folder,
                next_step=advice.BUILD_FROM_COMMIT(tag=self._tag_for(built.version)),
            )
        return self._new_tag(built.version, edit=None, reason=f"{reason}: rehearsing {built.version}")

    def _tag_for(self, version: Version) -> str:
        """Return the tag of a version, as the project writes its tags."""
        tags = self.git.tags()
        return f"{pep440.tag_start(tags, prefix=self.naming.new_prefix(tags))}{version}"

    def _written_version(self) -> tuple[WrittenVersion | None, bool]:
        """Return where HEAD's version is written (a guess is enough), and whether it comes from tags instead."""
        read = partial(self.git.read, self.head)
        written, scm = read_version(read)
        return (written or (None if scm else guess_version(read))), scm

    def _existing_tag(self, tag: str, why: str) -> RehearsalTag:
        """Choose an existing tag, which must agree with the file at its commit."""
        version, commit = pep440.read_tag(tag, prefix=self.naming.prefix_of(tag)), self.git.tags()[tag]
        written, _ = read_version(partial(self.git.read, commit))
        refuse_other_version(written, tag, version, commit)
        return RehearsalTag(tag=tag, version=version, commit=commit, messages=(f"{why}, commit {commit[:12]}",))

    def _from_file(self, written: WrittenVersion) -> RehearsalTag:
        """Choose the version in a file, or the next one if that is released already."""
        stated = pep440.version_in(written.text)
        if stated is None:
            raise Refused(
                f"{clean(written.text, 60)!r} is not a version (PEP 440)",
                where=str(written),
                next_step=advice.WRITE_A_VERSION(),
            )
        version = _released_form(stated)
        tags = self.git.tags()
        prefix = self.naming.new_prefix(tags)
        spelt = pep440.spellings(version, tags, prefix=prefix)
        twins = [name for name in spelt if not pep440.is_floating(name, prefix=prefix)]
        here = [name for name in twins if tags[name] == self.head]
        if here and version == stated:
            return self._existing_tag(here[-1], f"rehearsing the tag {here[-1]}, which is on the current commit")
        if twins:
            kinds = tuple(self.kinds())
            following = self._free(pep440.next_version(version, kinds))
            reason = (
                f"{written} says {clean(written.text, 60)}, but the tag {twins[-1]} has that version already"
                f" on commit {tags[twins[-1]][:12]}: rehearsing {following}, the next version{_why(kinds)};"
                " a commit in the rehearsal's own clone sets it"
            )
            return self._new_tag(following, edit=written, reason=reason)
        if version != stated:
            reason = (
                f"{written} says {clean(written.text, 60)}, which is never a release:"
                f" rehearsing {version}; a commit in the rehearsal's own clone sets it"
            )
            return self._new_tag(version, edit=written, reason=reason)
        return self._new_tag(version, edit=None, reason=f"rehearsing {version}, the version in {written}")

    def _from_tags(self, *, scm: bool) -> RehearsalTag:
        """Choose the tag on HEAD, or else the next version."""
        tags = self.git.tags()
        here = self.naming.at(tags, self.head)
        if here is not None:
            return self._existing_tag(here, f"rehearsing the tag {here}, which is on the current commit")
        prefix = self.naming.new_prefix(tags)
        merged = pep440.release_tags(self._merged_tags(), prefix=prefix) or pep440.release_tags(tags, prefix=prefix)
        current = max(merged.values(), default=None)
        kinds = tuple(self.kinds())
        begun = self._version_under_development()
        if begun is not None and (current is None or begun > current):
            following = self._free(begun)
            reason = f"the version comes from tags: rehearsing {following}, to which a development tag leads"
            return self._new_tag(following, edit=None, reason=reason)
        following = self._free(pep440.next_version(current, kinds))
        source = "the version comes from tags" if scm else "no file has a readable version"
        after = f"the version after {current}" if current is not None else "the first version"
        by = _why(kinds) if current is not None and not current.is_prerelease else ""
        hint = "" if scm else "; if the build gives another one, name its tag, such as: unmoor rehearse v1.2.3"
        return self._new_tag(following, edit=None, reason=f"{source}: rehearsing {following}, {after}{by}{hint}")

    def _new_tag(self, version: Version, *, edit: WrittenVersion | None, reason: str) -> RehearsalTag:
        tag = self._tag_for(version)
        made = f"the rehearsal makes the tag {tag} in its own clone, on commit {self.head[:12]}"
        return RehearsalTag(tag=tag, version=version, commit=self.head, edit=edit, messages=(reason, made))

    def _free(self, version: Version) -> Version:
        """Return the version, or the first patch version after it that no tag names."""
        tags = self.git.tags()
        taken = set(pep440.release_tags(tags, prefix=self.naming.new_prefix(tags)).values())
        while version in taken:
            version = pep440.next_version(version)
        return version

    def _version_under_development(self) -> Version | None:
        """Return the version that the highest development tag before HEAD leads to: 1.3.0.dev0 leads to 1.3.0."""
        merged = self._merged_tags()
        prefix = self.naming.new_prefix(merged)
        found = (pep440.version_in(name.removeprefix(prefix)) for name in merged if name.startswith(prefix))
        highest = max((each for each in found if each is not None and each.is_devrelease), default=None)
        return None if highest is None else _released_form(highest)

    def _merged_tags(self) -> list[str]:
        """Return the tags on HEAD and its ancestors: a maintenance branch continues from its own releases."""
        ran = self.git.git.run(
            "for-each-ref", f"--merged={self.head}", "--format=%(refname)", "refs/tags", cwd=self.git.folder
        )
        return [ref.removeprefix("refs/tags/") for ref in ran.out.split("\n") if ref]


def _why(kinds: Collection[str]) -> str:
    """Say which kind of news fragment decides the next version, empty if there are no fragments."""
    decisive = pep440.deciding_kind(kinds)
    if decisive:
        return f" (a fragment is of kind {clean(decisive, 40)})"
    return f" (its fragments are of kind {clean(', '.join(sorted(set(kinds))), 100)})" if kinds else ""


def _released_form(version: Version) -> Version:
    """Remove the development and local parts of a version: 1.3.0.dev0 gives 1.3.0, 1.3rc1.dev2 gives 1.3rc1."""
    return Version(version.public.partition(".dev")[0])
