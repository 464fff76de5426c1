"""Plan the tags, labels and annotations of images from rules, a flavor and the run. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from unmoor import advice
from unmoor.errors import ConfigError
from unmoor.images.tags import flavor as flavors
from unmoor.images.tags import rules as ruleset
from unmoor.images.tags.context import HEADS, TagContext
from unmoor.images.tags.errors import RuleError, SourceLine
from unmoor.images.tags.expressions import render
from unmoor.images.tags.floating import TagKind, kinds
from unmoor.images.tags.labels import at_levels
from unmoor.images.tags.labels import labels as labelled
from unmoor.images.tags.produce import NoTag, RuleContext, Value, produce, render_part
from unmoor.images.tags.rules import TagRule
from unmoor.images.tags.validate import check
from unmoor.util.values import replace
from unmoor.versioning.pep440 import LONGEST_TAG, quote

LATEST: Final = "latest"
_NOT_ALLOWED = re.compile(r"[^a-zA-Z0-9._-]+")
_TAG = re.compile(rf"[a-zA-Z0-9_][a-zA-Z0-9._-]{{0,{LONGEST_TAG - 1}}}")


class Tag(msgspec.Struct, frozen=True, kw_only=True):
    """One planned tag, and whether it is fixed or floating."""

    name: str
    kind: TagKind


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The planned tags. ``version`` is the first one, empty if there is none; ``latest``: whether it is one of them.

    ``images`` are lower-cased names. ``labels`` are keys and values, sorted; ``annotations`` are texts
    ``level:key=value``. ``warnings`` are sentences for the author of the rules.
    """

    version: str
    planned: tuple[Tag, ...]
    images: tuple[str, ...]
    labels: tuple[tuple[str, str], ...]
    annotations: tuple[str, ...]
    latest: bool
    warnings: tuple[str, ...] = ()

    @property
    def tag_names(self) -> tuple[str, ...]:
        """The tags without an image's name."""
        return tuple(tag.name for tag in self.planned)

    @property
    def tags(self) -> tuple[str, ...]:
        """Every tag of every image, ``image:tag``; without images, the tags alone."""
        return tuple(name for image in self.images for name in self.tags_of(image)) or self.tag_names

    @property
    def fixed(self) -> tuple[str, ...]:
        """The tags that name this image for good."""
        return tuple(tag.name for tag in self.planned if tag.kind is TagKind.FIXED)

    @property
    def floating(self) -> tuple[str, ...]:
        """The tags that move from release to release."""
        return tuple(tag.name for tag in self.planned if tag.kind is TagKind.FLOATING)

    def tags_of(self, image: str) -> tuple[str, ...]:
        """Return the tags of one image, ``image:tag``."""
        return tuple(f"{image}:{name}" for name in self.tag_names)

    def document(self) -> dict[str, Any]:
        """Return the plan as JSON, with the keys that docker/metadata-action writes, and three more."""
        return {
            "version": self.version,
            "tags": list(self.tags),
            "tag-names": list(self.tag_names),
            "labels": dict(self.labels),
            "annotations": list(self.annotations),
            "fixed": list(self.fixed),
            "floating": list(self.floating),
        }


def plan(
    rules: Iterable[str],
    flavor: Iterable[str],
    images: Iterable[str],
    context: TagContext,
    *,
    labels: Iterable[str] = (),
    annotations: Iterable[str] = (),
    levels: Sequence[str] = ("manifest",),
    compat: bool = False,
    post_is_final: bool = True,
    latest_on_default_branch: bool = False,
    may_be_empty: bool = False,
) -> Plan:
    """Plan tags, labels and annotations. Each text holds one or more lines.

    ``compat`` does exactly what docker/metadata-action does, and ignores ``post_is_final`` and
    ``latest_on_default_branch``. With ``latest_on_default_branch`` only that branch gets ``latest``. Raises
    `ConfigError` for input that cannot be parsed, for an invalid tag, and (without ``compat``) if no rule gives
    a tag, unless the plan ``may_be_empty``.
    """
    if compat and context.commit_date is None:
        context = replace(context, commit_date=context.now)
    given = RuleContext(
        flavor=flavors.parse(flavor, compat=compat), context=context, compat=compat, post_is_final=post_is_final
    )
    ordered = ruleset.parse(rules)
    for rule in () if compat else ordered:
        check(rule)
    names = tuple(image.name for image in flavors.images(images, compat=compat) if image.enable)
    results = [(rule, _evaluate(rule, given)) for rule in ordered]
    values = [(rule, result) for rule, result in results if isinstance(result, Value)]
    if not values and not compat and not may_be_empty:
        raise _no_tag(results, context)
    if latest_on_default_branch and not compat:
        latest = context.ref.startswith(HEADS) and context.is_default_branch
    else:
        latest = _latest(values, given)
    planned = _tags(values, given)
    if latest and values:
        planned = _with_latest(planned, given)
    version = planned[0].name if planned else ""
    return Plan(
        version=version,
        planned=planned,
        images=names,
        labels=labelled(context, version, labels, compat=compat),
        annotations=at_levels(labelled(context, version, annotations, kind="annotation", compat=compat), levels),
        latest=latest and bool(values),
        warnings=_warnings(results),
    )


def _evaluate(rule: TagRule, given: RuleContext) -> Value | NoTag:
    """Evaluate a rule if it is enabled, and add prefix and suffix to its value."""
    enabled = render_part(rule, rule.enable, given)
    if enabled not in {"true", "false"}:
        raise rule.line.within(
            rule.enable,
            RuleError(
                f"enable must be true or false, but it is {quote(enabled)}",
                next_step=advice.WRITE_IT_AS(example="enable=true, or enable={{is_default_branch}}"),
            ),
        )
    if enabled == "false":
        return NoTag(why="it is not enabled")
    result = produce(rule, given)
    if isinstance(result, NoTag):
        return result
    prefix = render_part(rule, rule.prefix, given) if rule.prefix is not None else _from_flavor(given, "prefix")
    suffix = render_part(rule, rule.suffix, given) if rule.suffix is not None else _from_flavor(given, "suffix")
    text = _NOT_ALLOWED.sub("-", f"{prefix}{result.text}{suffix}")
    if not text:
        return NoTag(why="its value is empty")
    if not given.compat:
        _check(text, rule.line)
    return Value(text=text, latest=result.latest, kind=result.kind)


def _from_flavor(given: RuleContext, what: str) -> str:
    """Return the prefix or suffix of the flavor, with its expressions replaced."""
    text = given.flavor.prefix if what == "prefix" else given.flavor.suffix
    try:
        return render(text, given.context.names(), compat=given.compat)
    except RuleError as wrong:
        for line in reversed(given.flavor.source_lines):
            if text in line.text:
                raise line.within(text, wrong) from wrong
        raise SourceLine(kind="flavor", number=1, text=text).within(text, wrong) from wrong


def _check(name: str, line: SourceLine) -> None:
    """Refuse an invalid tag (Docker's reference grammar)."""
    if _TAG.fullmatch(name):
        return
    if len(name) > LONGEST_TAG:
        what = f"the tag {quote(name)} has {len(name)} characters, but the limit is {LONGEST_TAG}"
        raise line.error(what, next_step=advice.SHORTEN_TAG())
    raise line.error(
        f"the tag {quote(name)} begins with {name[0]!r}, which is invalid",
        next_step=advice.BEGIN_TAG_WITH_LETTER(),
    )


def _latest(values: Sequence[tuple[TagRule, Value]], given: RuleContext) -> bool:
    """Decide ``latest`` by the flavor or, if that is ``auto``, by the first rule that gave a value."""
    if not values:
        return False
    return values[0][1].latest if given.flavor.latest == "auto" else given.flavor.latest == "true"


def _tags(values: Sequence[tuple[TagRule, Value]], given: RuleContext) -> tuple[Tag, ...]:
    """Return the tags in order, each once; the first one is the version.

    If two rules give the same name, it is floating if either says so.
    """
    context = given.context
    found: dict[str, TagKind] = {}
    for _, value in values:
        kind = value.kind or kinds([value.text], context.tag.removeprefix("v"), commit=context.sha)[value.text]
        if found.get(value.text, TagKind.FIXED) is TagKind.FIXED:
            found[value.text] = kind
    return tuple(Tag(name=name, kind=kind) for name, kind in found.items())


def _with_latest(planned: tuple[Tag, ...], given: RuleContext) -> tuple[Tag, ...]:
    """Add ``latest``. The original adds it even if a rule gave it already, and never replaces its expressions."""
    flavor = given.flavor
    prefix, suffix = flavor.prefix, flavor.suffix
    if not given.compat:
        prefix, suffix = _from_flavor(given, "prefix"), _from_flavor(given, "suffix")
    prefix, suffix = prefix * flavor.on_latest_prefix, suffix * flavor.on_latest_suffix
    name = _NOT_ALLOWED.sub("-", f"{prefix}{LATEST}{suffix}")
    if given.compat:
        return (*planned, Tag(name=name, kind=TagKind.FLOATING))
    _check(name, flavor.source_lines[0] if flavor.source_lines else SourceLine(kind="flavor", number=1, text=""))
    return (*(tag for tag in planned if tag.name != name), Tag(name=name, kind=TagKind.FLOATING))


def _warnings(results: Sequence[tuple[TagRule, Value | NoTag]]) -> tuple[str, ...]:
    warnings = [
        f"rule {rule.line.number}: a rule of type {rule.type} has no attribute {quote(name)}; it has no effect"
        for rule, _ in results
        for name in rule.unknown
    ]
    warnings += [
        f"rule {rule.line.number}: {result.why}"
        for rule, result in results
        if isinstance(result, NoTag) and result.warn
    ]
    return tuple(warnings)


def _no_tag(results: Sequence[tuple[TagRule, Value | NoTag]], context: TagContext) -> ConfigError:
    reasons = [
        f"rule {rule.line.number} ({quote(rule.line.text)}): {result.why}"
        for rule, result in results
        if isinstance(result, NoTag)
    ]
    seen = f"the ref {quote(context.ref)} and the event {quote(context.event)}"
    return ConfigError(
        "\n".join([f"no rule gives a tag for {seen}", *reasons[:20]]),
        where="image tags",
        next_step=advice.ADD_TAG_RULE(),
    )
