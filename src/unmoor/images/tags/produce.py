"""Evaluate one rule for one run: a value, or why there is none."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import msgspec
from packaging.version import Version

from unmoor import advice
from unmoor.images.tags import patterns, semver
from unmoor.images.tags.context import HEADS, PULLS, TAGS, TagContext
from unmoor.images.tags.errors import RuleError
from unmoor.images.tags.expressions import Names, names_in, render, sole_name
from unmoor.images.tags.flavor import Flavor
from unmoor.images.tags.floating import TagKind
from unmoor.images.tags.rules import RuleType, TagRule
from unmoor.images.tags.validate import split_slashes
from unmoor.versioning.pep440 import quote

_PATCH_IS: Final = 3
_VERSION_WITHIN = re.compile(r"(?:^|[/_-])v?(?P<version>[0-9].*)$")


class RuleContext(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a rule depends on."""

    flavor: Flavor
    context: TagContext
    compat: bool
    post_is_final: bool


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """The value of a rule. ``latest`` counts if the flavor says ``auto``; ``kind`` is set if the rule decides it."""

    text: str
    latest: bool = False
    kind: TagKind | None = None


class NoTag(msgspec.Struct, frozen=True, kw_only=True):
    """Why a rule gave no value; ``warn`` if its author should know."""

    why: str
    warn: bool = False


class ParsedVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed version: the names that a pattern can use, and whether it is final."""

    names: Names
    final: bool
    post: bool
    parts: int
    prerelease: str
    raw: str


def produce(rule: TagRule, given: RuleContext) -> Value | NoTag:
    """Evaluate one rule. Raises `ConfigError` if a part of it cannot be parsed."""
    return _TYPES[rule.type](rule, given)


def render_part(rule: TagRule, part: str, given: RuleContext, names: Names | None = None) -> str:
    """Replace the expressions in a part of a rule's line. Raises `ConfigError` with the column."""
    return with_location(rule, part, lambda: render(part, names or given.context.names(), compat=given.compat))


def with_location(rule: TagRule, part: str, work: Callable[[], str]) -> str:
    """Work on a part of a rule. Turns a `RuleError` into a `ConfigError` with the rule and the column."""
    try:
        return work()
    except RuleError as wrong:
        raise rule.line.within(part, wrong) from wrong


def _schedule(rule: TagRule, given: RuleContext) -> Value | NoTag:
    if "schedule" not in given.context.event:
        return NoTag(why="the event is not a schedule")
    return Value(text=render_part(rule, rule.pattern, given, Names(times=given.context.times())))


def _edge(rule: TagRule, given: RuleContext) -> Value | NoTag:
    context = given.context
    wanted = rule.branch or context.repository.default_branch
    same = context.ref.startswith(HEADS) and context.branch == wanted
    return Value(text="edge") if same else NoTag(why=f"the ref is not the branch {quote(wanted)}")


def _raw(rule: TagRule, given: RuleContext) -> Value | NoTag:
    return Value(text=render_part(rule, rule.value, given))


def _sha(rule: TagRule, given: RuleContext) -> Value | NoTag:
    context = given.context
    text = context.sha if rule.format == "long" else context.short_sha
    return Value(text=text, kind=TagKind.FIXED) if context.sha else NoTag(why="the commit is unknown")


def _ref(rule: TagRule, given: RuleContext) -> Value | NoTag:
    context = given.context
    head = {"branch": HEADS, "tag": TAGS, "pr": PULLS}[rule.event]
    if not context.ref.startswith(head):
        return NoTag(why=f"the ref is not a {rule.event}")
    name = context.ref.removeprefix(head)
    if rule.event == "pr":
        return Value(text=name.removesuffix("/merge"))
    if rule.event == "tag":
        return Value(text=name, latest=given.compat or not _is_prerelease(name), kind=TagKind.FIXED)
    return Value(text=name)


def _subject(rule: TagRule, given: RuleContext) -> str | NoTag:
    """Return the text to parse as a version or to match: the rule's value, else the tag."""
    if rule.value:
        return render_part(rule, rule.value, given)
    if not given.context.ref.startswith(TAGS):
        return NoTag(why="the ref is not a tag")
    return given.context.tag


def _match(rule: TagRule, given: RuleContext) -> Value | NoTag:
    subject = _subject(rule, given)
    if isinstance(subject, NoTag):
        return subject
    source, flags = split_slashes(rule.pattern)
    found = _search(rule, source, subject, flags)
    if found is None:
        return NoTag(why=f"{quote(rule.pattern)} does not match {quote(subject)}", warn=True)
    text = found[rule.group] if rule.group < len(found) else None
    if text is None:
        return NoTag(why=f"{quote(rule.pattern)} has no group {rule.group} for {quote(subject)}", warn=True)
    return Value(text=text, latest=given.compat or not (_is_prerelease(subject) or _is_prerelease(text)))


def _search(rule: TagRule, source: str, subject: str, flags: str = "") -> tuple[str | None, ...] | None:
    try:
        return patterns.search(source, subject, flags=flags)
    except RuleError as wrong:
        raise rule.line.within(source, wrong) from wrong


def _is_prerelease(text: str) -> bool:
    """Whether a tag ends in a version that, by either standard, is not final."""
    within = _VERSION_WITHIN.search(text)
    if within is None:
        return False
    strict = semver.parse(within["version"])
    loose = _pep440(within["version"])
    return bool(strict and strict.prerelease) or (loose is not None and loose.is_prerelease)


def _version(rule: TagRule, given: RuleContext) -> Value | NoTag:
    """Parse a version and write it in the rule's pattern; one that is not final is written as it is."""
    subject = _subject(rule, given)
    if isinstance(subject, NoTag):
        return subject
    if rule.match:
        groups = _search(rule, rule.match, subject)
        if groups is not None:
            if len(groups) == 1 or groups[1] is None:
                raise rule.line.within(
                    rule.match,
                    RuleError(
                        "match needs a group around the version", next_step=advice.WRITE_IT_AS(example="match=v(.*)")
                    ),
                )
            subject = groups[1]
    subject = subject.replace("/", "-")
    found = _found_semver(subject) if rule.type is RuleType.SEMVER else _found_pep440(subject, given)
    if found is None:
        standard = "Semantic Versioning" if rule.type is RuleType.SEMVER else "PEP 440"
        return NoTag(why=f"{quote(subject)} is not a version of {standard}", warn=True)
    return _write(rule, given, found)


def _write(rule: TagRule, given: RuleContext, found: ParsedVersion) -> Value | NoTag:
    if not found.final:
        raw = sole_name(rule.pattern) == "raw"
        return Value(text=found.raw if raw else found.prerelease, kind=TagKind.FIXED)
    used = frozenset[str]()

    def use() -> str:
        nonlocal used
        used = names_in(rule.pattern)
        return render(rule.pattern, found.names, compat=given.compat)

    text = with_location(rule, rule.pattern, use)
    whole = bool(used & {"version", "raw"})
    if not given.compat and not whole:
        if found.post and "patch" in used:
            return Value(
                text=found.prerelease, latest=True, kind=TagKind.FIXED
            )  # otherwise it would take another release's tag
        if used == {"major"} and found.names.texts["major"] == "0":
            return NoTag(why="0 alone is never a floating tag: versions before 1.0 make no promise of compatibility")
    fixed = whole or ("patch" in used and found.parts <= _PATCH_IS)
    return Value(text=text, latest=True, kind=TagKind.FIXED if fixed else TagKind.FLOATING)


def _found_semver(text: str) -> ParsedVersion | None:
    version = semver.parse(text)
    if version is None:
        return None
    texts = {
        "raw": version.raw,
        "version": version.version,
        "major": str(version.major),
        "minor": str(version.minor),
        "patch": str(version.patch),
        "prerelease": ",".join(version.prerelease),
        "build": ",".join(version.build),
    }
    return ParsedVersion(
        names=Names(texts=texts),
        final=not version.prerelease,
        post=False,
        parts=3,
        prerelease=version.version,
        raw=version.raw,
    )


def _found_pep440(text: str, given: RuleContext) -> ParsedVersion | None:
    version = _pep440(text)
    if version is None:
        return None
    release = (*version.release, 0, 0)
    whole = str(version)
    if given.compat:  # the original joins the parts of a local version with commas, which become dashes
        public, plus, local = whole.partition("+")
        whole = public + plus + local.replace(".", ",")
    texts = {"raw": text, "version": whole}
    texts |= dict(zip(("major", "minor", "patch"), map(str, release), strict=False))
    post = version.is_postrelease
    return ParsedVersion(
        names=Names(texts=texts),
        final=not version.is_prerelease and not (post and (given.compat or not given.post_is_final)),
        post=post,
        parts=len(version.release),
        prerelease=whole,
        raw=text,
    )


def _pep440(text: str) -> Version | None:
    """Parse a version, with or without a ``v``, but not with blanks around it or outside ASCII."""
    if not text.isascii() or len(text) > 256 or text.strip() != text:  # noqa: PLR2004 - as long as any tag may be
        return None
    try:
        return Version(text)
    except ValueError:  # InvalidVersion, or a number of thousands of digits
        return None


_TYPES: Final[Mapping[RuleType, Callable[[TagRule, RuleContext], Value | NoTag]]] = MappingProxyType(
    {
        RuleType.SCHEDULE: _schedule,
        RuleType.SEMVER: _version,
        RuleType.PEP440: _version,
        RuleType.MATCH: _match,
        RuleType.EDGE: _edge,
        RuleType.REF: _ref,
        RuleType.RAW: _raw,
        RuleType.SHA: _sha,
    }
)
