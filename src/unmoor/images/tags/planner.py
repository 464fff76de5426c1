"""The tags, labels and annotations of images: decided by rules, a flavor and what is known of the run. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from unmoor.errors import ConfigError
from unmoor.images.tags import flavor as flavors
from unmoor.images.tags import rules as ruleset
from unmoor.images.tags.context import HEADS, TagContext
from unmoor.images.tags.errors import REFERENCE, RuleError, SourceLine
from unmoor.images.tags.expressions import render
from unmoor.images.tags.floating import TagKind, kinds
from unmoor.images.tags.labels import at_levels
from unmoor.images.tags.labels import labels as labelled
from unmoor.images.tags.produce import NoTag, RuleContext, Value, produce, rendered
from unmoor.images.tags.rules import TagRule
from unmoor.images.tags.validate import check
from unmoor.versioning.pep440 import LONGEST_TAG, quote

LATEST: Final = "latest"
_NOT_ALLOWED = re.compile(r"[^a-zA-Z0-9._-]+")
_TAG = re.compile(rf"[a-zA-Z0-9_][a-zA-Z0-9._-]{{0,{LONGEST_TAG - 1}}}")


@dataclass(frozen=True, kw_only=True)
class Tag:
    """One planned tag, and whether it stays or floats."""

    name: str
    kind: TagKind


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What was decided. ``version`` is the first tag, empty where there is none; ``latest``: that is one of them.

    ``images`` are lower-cased names. ``labels`` are keys and values, sorted; ``annotations`` are
    texts ``level:key=value``. ``warnings`` are sentences for whoever wrote the rules.
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
        """The tags without any image's name."""
        return tuple(tag.name for tag in self.planned)

    @property
    def tags(self) -> tuple[str, ...]:
        """Every tag of every image, ``image:tag``; the bare tags where there is no image."""
        return tuple(name for image in self.images for name in self.tags_of(image)) or self.tag_names

    @property
    def fixed(self) -> tuple[str, ...]:
        """The tags that name this one image for ever."""
        return tuple(tag.name for tag in self.planned if tag.kind is TagKind.FIXED)

    @property
    def floating(self) -> tuple[str, ...]:
        """The tags that move from release to release."""
        return tuple(tag.name for tag in self.planned if tag.kind is TagKind.FLOATING)

    def tags_of(self, image: str) -> tuple[str, ...]:
        """The tags of one image, ``image:tag``."""
        return tuple(f"{image}:{name}" for name in self.tag_names)

    def document(self) -> dict[str, Any]:
        """The plan as JSON, with the keys that docker/metadata-action writes, and three more."""
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
) -> Plan:
    """Decide everything. Each text holds one line, or several.

    ``compat`` does what docker/metadata-action does also where we differ; then ``post_is_final`` and
    ``latest_on_default_branch`` count for nothing. With ``latest_on_default_branch`` that branch
    gets ``latest``, and nothing else ever does. Raises `ConfigError` for what cannot be read, a tag
    that no registry takes, and (not in ``compat``) where no rule gives a tag.
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
    answers = [(rule, _asked(rule, given)) for rule in ordered]
    values = [(rule, answer) for rule, answer in answers if isinstance(answer, Value)]
    if not values and not compat:
        raise _no_tag(answers, context)
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
        warnings=_warnings(answers),
    )


def _asked(rule: TagRule, given: RuleContext) -> Value | NoTag:
    """Ask a rule that is enabled, and dress its value in prefix and suffix."""
    enabled = rendered(rule, rule.enable, given)
    if enabled not in {"true", "false"}:
        raise rule.place.within(
            rule.enable,
            RuleError(
                f"enable must come out as true or false, and it is {quote(enabled)}",
                next_step="write enable=true, or enable={{is_default_branch}}",
            ),
        )
    if enabled == "false":
        return NoTag(why="it is not enabled")
    answer = produce(rule, given)
    if isinstance(answer, NoTag):
        return answer
    prefix = rendered(rule, rule.prefix, given) if rule.prefix is not None else _of_all(given, "prefix")
    suffix = rendered(rule, rule.suffix, given) if rule.suffix is not None else _of_all(given, "suffix")
    text = _NOT_ALLOWED.sub("-", f"{prefix}{answer.text}{suffix}")
    if not text:
        return NoTag(why="its value is empty")
    if not given.compat:
        _check(text, rule.place)
    return Value(text=text, latest=answer.latest, kind=answer.kind)


def _of_all(given: RuleContext, what: str) -> str:
    """The prefix or the suffix of the flavor, with its expressions."""
    text = given.flavor.prefix if what == "prefix" else given.flavor.suffix
    try:
        return render(text, given.context.names(), compat=given.compat)
    except RuleError as wrong:
        for place in reversed(given.flavor.places):
            if text in place.text:
                raise place.within(text, wrong) from wrong
        raise SourceLine(kind="flavor", number=1, text=text).within(text, wrong) from wrong


def _check(name: str, place: SourceLine) -> None:
    """Refuse a tag that no registry takes (Docker's reference grammar)."""
    if _TAG.fullmatch(name):
        return
    if len(name) > LONGEST_TAG:
        what = f"the tag {quote(name)} is {len(name)} characters long, and {LONGEST_TAG} is the most"
        raise place.error(what, next_step="shorten what the rule writes: its prefix, suffix, or a name it is made of")
    raise place.error(
        f"the tag {quote(name)} begins with {name[0]!r}, and no registry takes that",
        next_step="let it begin with a letter, digit or _; where an expression in front is empty on some events "
        "({{branch}} on a pull request), use a rule of the other event alone: type=ref,event=branch,suffix=-{{sha}}",
    )


def _latest(values: Sequence[tuple[TagRule, Value]], given: RuleContext) -> bool:
    """Decide ``latest``: once, by the first rule that gave a value, unless the flavor says it."""
    if not values:
        return False
    return values[0][1].latest if given.flavor.latest == "auto" else given.flavor.latest == "true"


def _tags(values: Sequence[tuple[TagRule, Value]], given: RuleContext) -> tuple[Tag, ...]:
    """Order the tags: the first one is the version, each other one comes once.

    Where two rules write one name, it floats if either says so.
    """
    context = given.context
    found: dict[str, TagKind] = {}
    for _, value in values:
        kind = value.kind or kinds([value.text], context.tag.removeprefix("v"), commit=context.sha)[value.text]
        if found.get(value.text, TagKind.FIXED) is TagKind.FIXED:
            found[value.text] = kind
    return tuple(Tag(name=name, kind=kind) for name, kind in found.items())


def _with_latest(planned: tuple[Tag, ...], given: RuleContext) -> tuple[Tag, ...]:
    """Add ``latest``; the original writes it a second time where a rule has written it, and never its expressions."""
    flavor = given.flavor
    prefix, suffix = flavor.prefix, flavor.suffix
    if not given.compat:
        prefix, suffix = _of_all(given, "prefix"), _of_all(given, "suffix")
    prefix, suffix = prefix * flavor.on_latest_prefix, suffix * flavor.on_latest_suffix
    name = _NOT_ALLOWED.sub("-", f"{prefix}{LATEST}{suffix}")
    if given.compat:
        return (*planned, Tag(name=name, kind=TagKind.FLOATING))
    _check(name, flavor.places[0] if flavor.places else SourceLine(kind="flavor", number=1, text=""))
    return (*(tag for tag in planned if tag.name != name), Tag(name=name, kind=TagKind.FLOATING))


def _warnings(answers: Sequence[tuple[TagRule, Value | NoTag]]) -> tuple[str, ...]:
    told = [
        f"rule {rule.place.number}: a rule of type {rule.type} has no attribute {quote(name)}; it changes nothing"
        for rule, _ in answers
        for name in rule.unknown
    ]
    told += [
        f"rule {rule.place.number}: {answer.why}"
        for rule, answer in answers
        if isinstance(answer, NoTag) and answer.warn
    ]
    return tuple(told)


def _no_tag(answers: Sequence[tuple[TagRule, Value | NoTag]], context: TagContext) -> ConfigError:
    reasons = [
        f"rule {rule.place.number} ({quote(rule.place.text)}): {answer.why}"
        for rule, answer in answers
        if isinstance(answer, NoTag)
    ]
    seen = f"the ref {quote(context.ref)} and the event {quote(context.event)}"
    return ConfigError(
        "\n".join([f"no rule gives a tag for {seen}", *reasons[:20]]),
        where="image tags",
        next_step=f"add a rule for this event, or do not build images on it; {REFERENCE}",
    )
