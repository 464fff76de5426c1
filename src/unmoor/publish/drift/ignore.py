"""Which findings of `unmoor watch` the settings accept, and which of those settings are in vain. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase

from unmoor.config.watch import WatchIgnore
from unmoor.products.drift import AcceptedFinding, DriftFinding
from unmoor.util.text import clean


def accept(
    findings: Iterable[DriftFinding], ignored: Sequence[WatchIgnore]
) -> tuple[tuple[DriftFinding, ...], tuple[AcceptedFinding, ...]]:
    """Split findings into those that count, and those that a setting accepts, each with its reason."""
    counting: list[DriftFinding] = []
    accepted: list[AcceptedFinding] = []
    for finding in findings:
        rule = next((each for each in ignored if _matches(each, finding)), None)
        if rule is None:
            counting.append(finding)
        else:
            accepted.append(AcceptedFinding(finding=finding, reason=rule.reason))
    return tuple(counting), tuple(accepted)


def in_vain(
    ignored: Sequence[WatchIgnore], accepted: Sequence[AcceptedFinding], *, tags: Iterable[str]
) -> Iterator[str]:
    """Warn about settings that accept nothing, of those whose tag was looked at. A run looks at some tags only."""
    looked_at = ["", *tags]
    for each in ignored:
        about = [tag for tag in looked_at if fnmatchcase(tag, each.tag)]
        if about and not any(_matches(each, one.finding) for one in accepted):
            yield f"watch-ignore: {clean(each.tag)} has no finding {each.finding}: remove the line"


def _matches(rule: WatchIgnore, finding: DriftFinding) -> bool:
    return rule.finding == finding.finding and fnmatchcase(finding.tag, rule.tag)
