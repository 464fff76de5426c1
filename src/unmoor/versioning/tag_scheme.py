"""How a project names its tags: which prefix comes before the version, if any. Pure.

Many projects write ``v1.2`` or ``1.2``. If a repository contains several packages, or by convention, tags have a
prefix: ``pkg-1.2``, ``pkg/v1.2``, ``pkg==1.2``, ``release-1.2``. If a prefix is configured, only that one counts.
Otherwise a tag counts if its prefix is the project's own name or a word such as "release". Any other prefix may be
another package's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from packaging.utils import canonicalize_name
from packaging.version import Version

from unmoor import advice
from unmoor.errors import Refused, UnmoorError
from unmoor.versioning import pep440

# Slashes separate segments of a ref. A prefix never ends in a digit, because the version follows.
_PREFIX = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_+@=-]*([./][A-Za-z0-9_+@=-]+)*[./]?")
_CUT = re.compile(r"(?:[-_/@]|==)(?=v?[0-9])")
_SEPARATOR = re.compile(r"(?:[-_/@]|==)$")
_WORDS = frozenset({"release", "releases", "rel", "version", "ver"})
_LONGEST = 64


def parse_prefix(text: str) -> str:
    """Normalise a configured prefix: drop a trailing ``v``, which is always optional before a version.

    ``v`` alone is kept and means "no prefix". Raises ``ValueError`` for text that no tag may start with.
    """
    if text in {"", "v"}:
        return text
    text = text[:-1] if len(text) > 1 and text[-1] == "v" and text[-2] in "-_/@.=" else text
    bad_part = any(part.endswith(".lock") for part in text.split("/"))
    if len(text) > _LONGEST or not _PREFIX.fullmatch(text) or text[-1].isdigit() or bad_part or text.startswith("@"):
        raise ValueError("expected the text before the version in a tag, such as pkg- or pkg/v or release-")
    return text


def refuse_unsafe(tag: str) -> None:
    """Raise `Refused` for a name that is no release tag with any prefix, before it is passed to git."""
    if pep440.why_unsafe(tag, more="/@=") or re.search(r"(^|/)[./-]|\.\.|[/.]$|@\{", tag):
        pep440.read_tag(tag)


@dataclass(frozen=True, kw_only=True)
class Naming:
    """Decides which tags are this project's. ``project`` returns its name, and is called only if that matters.

    ``in_folder`` means that the project is in a subfolder of the repository. Once tags carry its name, tags without a
    name belong to another project, such as the one at the top.
    """

    configured: str = ""
    project: Callable[[], str] = lambda: ""
    in_folder: bool = False

    def prefix_of(self, tag: str) -> str:
        """The prefix of a tag. Raises `Refused` with the known prefixes if it is not a tag of this project."""
        found = self._find_prefix(tag)
        if found is not None:
            return found
        refuse_unsafe(tag)
        only = self._fixed_prefix()
        start = re.match(r"(?P<start>.*?[^0-9.])v?[0-9]", tag)
        if only is not None or start is None or tag[:1].isdigit() or re.match("v[0-9]", tag):
            pep440.read_tag(tag, prefix=only or "")
        name = self._project_name
        known = ", ".join(("v", *((f"{name}-", f"{name}/") if name else ()), "release-"))
        raise Refused(
            f"the tag {pep440.quote(tag)} is not known to be this project's: its tags are a version alone, or one after"
            f" {known}",
            next_step=advice.RELEASE_OWN_TAG(),
        )

    def known(self, tags: Iterable[str]) -> dict[str, tuple[str, Version]]:
        """The names that are tags of this project, each with its prefix and version. Other names are left out."""
        each = {tag: found for tag in tags if (found := self._find_prefix(tag)) is not None}
        named = {tag: found for tag, found in each.items() if self.in_folder and self.is_explicit(tag)}
        return {tag: (found, pep440.read_tag(tag, prefix=found)) for tag, found in (named or each).items()}

    def for_prefix(self, prefix: str) -> Naming:
        """The naming to use with a tag of that prefix. For a project in a folder, only that prefix counts."""
        return Naming(configured=prefix or "v") if self.in_folder else self

    def matches(self, tag: str) -> bool:
        """Whether a tag is the project's."""
        return self._find_prefix(tag) is not None

    def is_explicit(self, tag: str) -> bool:
        """Whether a tag has the configured prefix or the project's name, so it can only be this project's."""
        found = self._find_prefix(tag) or ""
        return bool(found) and (self._fixed_prefix() is not None or not _is_release_word(found))

    def at(self, tags: Mapping[str, str], commit: str) -> str | None:
        """The tag of this project on a commit, or ``None`` if there is none.

        Of several spellings of one version, returns the one without a prefix. Raises `Refused` if the tags name
        different versions.
        """
        here = {tag: found for tag, found in self.known(tags).items() if tags[tag] == commit}
        pep440.refuse_several_versions({tag: version for tag, (_, version) in here.items()}, commit)
        if not here:
            return None
        return pep440.release_tag_at(tags, commit, prefix=min(each for each, _ in here.values()))

    def new_prefix(self, tags: Iterable[str]) -> str:
        """The prefix for a new tag: that of the highest release so far.

        Before the first release, there is none. For a project in a folder, it is the project's name.
        """
        only = self._fixed_prefix()
        if only is not None:
            return only
        known = self.known(tags)
        newest = max(known, key=lambda tag: (known[tag][1], not known[tag][0]), default="")
        first = f"{self._project_name}-" if self.in_folder and self._project_name else ""
        return known[newest][0] if newest else first

    def _fixed_prefix(self) -> str | None:
        """The configured prefix, or ``None`` if the tags determine it."""
        if not self.configured:
            return None
        return "" if self.configured == "v" else self.configured

    def _find_prefix(self, tag: str) -> str | None:
        """The prefix of a tag of this project, or ``None`` for any other tag."""
        only = self._fixed_prefix()
        if only is not None:
            return only if pep440.is_release_tag(tag, prefix=only) else None
        if pep440.is_release_tag(tag):
            return ""
        if len(tag) > pep440.LONGEST_TAG or not tag.isascii():
            return None
        for cut in _CUT.finditer(tag):
            word, start = tag[: cut.start()], tag[: cut.end()]
            own = word.lower() in _WORDS or (word and canonicalize_name(word) == canonicalize_name(self._project_name))
            if own and _PREFIX.fullmatch(start) and pep440.is_release_tag(tag, prefix=start):
                return start
        return None

    @cached_property
    def _project_name(self) -> str:
        """The project's name, read once for any number of tags.

        Empty if it cannot be read. The stage that needs the name reports that.
        """
        try:
            return self.project()
        except UnmoorError:
            return ""


def _is_release_word(prefix: str) -> bool:
    """Whether a prefix is a word such as "release" and not a project's name."""
    return _SEPARATOR.sub("", prefix).lower() in _WORDS
