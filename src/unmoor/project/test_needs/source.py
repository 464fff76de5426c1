"""What one place of a project declares that its tests need, and which packages that adds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import Final, Protocol

import msgspec
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from unmoor.project.test_needs.command import PytestCall
from unmoor.project.test_needs.variables import Variables

# Names of extras, groups, environments and files, normalised: for tests, and for development as a whole.
_TEST: Final = re.compile(r"(?:.*[-/.])?(?:(?:unit|py)-?tests?|tests?|testing|units?)(?:[-/.].*)?")
_DEVELOPMENT: Final = re.compile(r"(?:.*[-/.])?(?:dev|devel|develop|development|all|ci)(?:[-/.].*)?")


class SourceKind(IntEnum):
    """How directly a source speaks of tests, the most direct first. The order decides between equally full sources."""

    RUN = 1
    """An environment in which the project itself runs its tests, with their command."""
    TEST = 2
    """An extra, group or file with a name for tests."""
    DEVELOPMENT = 3
    """An extra, group or file with a name for development."""
    OTHER = 4
    """Anything else that includes pytest."""


class Described(Protocol):
    """A project as its metadata describes it: name, requirements (PEP 508) and extras."""

    @property
    def name(self) -> str:
        """The name."""

    @property
    def requires(self) -> tuple[str, ...]:
        """The requirements, with those of extras."""

    @property
    def extras(self) -> tuple[str, ...]:
        """The names of the extras."""


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """A project as its own files describe it before anything is built."""

    name: str = ""
    requires: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """What one place declares: ``requires`` (PEP 508), and ``extras`` of the project itself.

    ``place`` names it in messages. ``call`` is there if the place says how the project calls pytest.
    ``omitted`` is what it lists in a form that only a program or another machine could resolve. ``variables`` are those
    of the environment that it sets for the tests; see `unmoor.project.test_needs.variables`.
    """

    place: str
    kind: SourceKind
    requires: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    call: PytestCall | None = None
    omitted: tuple[str, ...] = ()
    variables: Variables = ()


def kind_of(name: str) -> SourceKind:
    """What the name of an extra, a group or a file says of it.

    >>> [kind_of(name).name for name in ("unit_tests", "dev", "docs", "latest")]
    ['TEST', 'DEVELOPMENT', 'OTHER', 'OTHER']
    """
    plain = re.sub(r"[-_.]+", "-", name.lower())
    if _TEST.fullmatch(plain):
        return SourceKind.TEST
    return SourceKind.DEVELOPMENT if _DEVELOPMENT.fullmatch(plain) else SourceKind.OTHER


def name_of(text: str) -> str:
    """The normalised name of a requirement, empty if it is not valid."""
    try:
        return canonicalize_name(Requirement(text).name)
    except InvalidRequirement:
        return ""


def packages_of(source: Source, project: Described) -> frozenset[str]:
    """The normalised names of the packages that a source adds directly on this machine."""
    found = package_names(project, source.requires)
    for extra in source.extras:
        found |= packages_of_extra(project, canonicalize_name(extra))
    return frozenset(found)


def packages_of_extra(project: Described, extra: str) -> frozenset[str]:
    """The names of the packages that an extra adds directly, and through other extras of the project."""
    return frozenset(package_names(project, project.requires, extra=extra, seen={extra}))


def package_names(
    project: Described, requires: Iterable[str], *, extra: str = "", seen: set[str] | None = None
) -> set[str]:
    """The names in requirements that apply to this machine, for an extra only those that it adds."""
    seen = set() if seen is None else seen
    found: set[str] = set()
    for text in requires:
        try:
            wanted = Requirement(text)
        except InvalidRequirement:
            continue  # the installer reports it
        marker = wanted.marker
        # For an extra, count only the packages that it adds.
        if marker is not None and not marker.evaluate({"extra": extra}):
            continue
        if extra and (marker is None or marker.evaluate({"extra": ""})):
            continue
        name = canonicalize_name(wanted.name)
        found.add(name)
        if name == canonicalize_name(project.name):
            for more in map(canonicalize_name, wanted.extras):
                if more not in seen:
                    seen.add(more)
                    found |= package_names(project, project.requires, extra=more, seen=seen)
    return found


def split_own(requires: Sequence[str], project: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Part requirements from the extras of the project that they ask for: the project itself is installed already.

    >>> split_own(["pytest", "Small.One[cli]", "small-one"], "small_one")
    (('pytest',), ('cli',))
    """
    others: list[str] = []
    extras: list[str] = []
    for text in requires:
        try:
            wanted = Requirement(text)
        except InvalidRequirement:
            others.append(text)
            continue
        if project and canonicalize_name(wanted.name) == canonicalize_name(project):
            extras += sorted(wanted.extras)
        else:
            others.append(text)
    return tuple(others), tuple(dict.fromkeys(extras))
