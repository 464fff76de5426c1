"""Which package of a resolution needs which: from the metadata of each, as an installer reads it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec
from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from unmoor.dists.inspect import parse_metadata
from unmoor.ports.resolver import ResolvedPackage

Edges = Mapping[str, frozenset[str]]
"""The normalised names that a package needs, by its own. A package is missing if that is not known."""


class PackageDetails(msgspec.Struct, frozen=True, kw_only=True):
    """What the metadata of a package says: its licence and its requirements, as written."""

    requires: tuple[str, ...] = ()
    expression: str = ""
    licence: str = ""
    classifiers: tuple[str, ...] = ()
    summary: str = ""


def describe(metadata: bytes | None) -> PackageDetails | None:
    """Read METADATA (core metadata), ``None`` if there is none or it cannot be read."""
    if metadata is None:
        return None
    try:
        raw, _ = parse_metadata(metadata)
    except ValueError:
        return None
    return PackageDetails(
        requires=tuple(raw.get("requires_dist", ())),
        expression=raw.get("license_expression", ""),
        licence=raw.get("license", ""),
        classifiers=tuple(raw.get("classifiers", ())),
        summary=raw.get("summary", ""),
    )


def edges(
    project: str,
    requires: Sequence[str],
    packages: Iterable[ResolvedPackage],
    *,
    extra: str,
    environment: Mapping[str, str],
) -> Edges:
    """Return what needs what, if ``project`` with ``requires`` is installed with an extra (empty: none).

    What is reached through an extra counts only if something asks for that extra.
    """
    described = {package.name: describe(package.metadata) for package in packages}
    own = canonicalize_name(project)
    texts = {name: each.requires for name, each in described.items() if each is not None} | {own: tuple(requires)}
    found: dict[str, set[str]] = {name: set() for name in texts}
    waiting: list[tuple[str, str]] = [(own, ""), *([(own, extra)] if extra else [])]
    seen = set(waiting)
    while waiting:
        name, wanted = waiting.pop()
        for other, its_extras in _required(texts.get(name, ()), wanted, environment):
            if other != own and other not in described:
                continue  # the resolver found that it is not needed
            if other != name:
                found[name].add(other)
            new = {(other, each) for each in ("", *its_extras)} - seen
            seen |= new
            waiting += sorted(new)
    return {name: frozenset(needed) for name, needed in found.items()}


def _required(texts: Iterable[str], extra: str, environment: Mapping[str, str]) -> Iterator[tuple[str, set[str]]]:
    """Yield the name and the extras of each requirement that holds, without what cannot be read."""
    for text in texts:
        try:
            requirement = Requirement(text)
            holds = requirement.marker is None or requirement.marker.evaluate({**environment, "extra": extra})
        except (InvalidRequirement, UndefinedComparison, UndefinedEnvironmentName):
            continue
        if holds:
            yield canonicalize_name(requirement.name), {canonicalize_name(each) for each in requirement.extras}


def asks_for_more(requires: Iterable[str], extra: str, environment: Mapping[str, str]) -> bool:
    """Whether anything more is installed with an extra than without it. ``extra`` empty: whether anything is."""
    plain = list(_required(requires, "", environment))
    return bool(plain) if not extra else any(each not in plain for each in _required(requires, extra, environment))
