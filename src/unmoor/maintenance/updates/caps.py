"""What the project's own bounds hold back: they are listed, and never edited."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping, MutableSequence
from typing import Any

import msgspec
import tomlkit
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version
from tomlkit.exceptions import TOMLKitError

from unmoor.maintenance.updates.lock import Lock

_UPPER = frozenset({"<", "<=", "==", "===", "~="})
_ALSO_LOWER = frozenset({"==", "===", "~="})


class HeldBack(msgspec.Struct, frozen=True, kw_only=True):
    """A package that has a newer version than the project allows. ``bound`` is the requirement that holds it back."""

    name: str
    locked: str
    available: str
    bound: str


def without_caps(pyproject: bytes) -> tuple[bytes, Mapping[str, str]]:
    """Return ``pyproject.toml`` without upper bounds, and by package the requirement that has one.

    Bounds of other packages stay: what they exclude is not the project's to decide. Empty if there are none.
    """
    try:
        document = tomlkit.parse(pyproject.decode())
    except (TOMLKitError, UnicodeDecodeError, RecursionError):
        return pyproject, {}
    found: dict[str, str] = {}
    for entries in _lists(document):
        for at, entry in enumerate(list(entries)):
            freed = _freed(entry) if isinstance(entry, str) else None
            if freed is not None:
                entries[at] = str(freed)
                found.setdefault(canonicalize_name(freed.name), str(entry))
    return (tomlkit.dumps(document).encode(), found) if found else (pyproject, {})


def _lists(document: MutableMapping[str, Any]) -> Iterator[MutableSequence[Any]]:
    """The lists of requirements that a project writes itself."""
    project, uv = _table(document, "project"), _table(_table(document, "tool"), "uv")
    yield from _list(project.get("dependencies"))
    for name in ("optional-dependencies", "dependency-groups"):
        table = _table(project if name.startswith("optional") else document, name)
        for entries in table.values():
            yield from _list(entries)
    for name in ("dev-dependencies", "constraint-dependencies"):
        yield from _list(uv.get(name))


def _table(value: MutableMapping[str, Any], name: str) -> MutableMapping[str, Any]:
    found = value.get(name)
    return found if isinstance(found, MutableMapping) else {}


def _list(value: object) -> Iterator[MutableSequence[Any]]:
    if isinstance(value, MutableSequence):
        yield value


def _freed(text: str) -> Requirement | None:
    """The requirement without its upper bounds, ``None`` if it has none."""
    try:
        found = Requirement(text)
    except InvalidRequirement:
        return None
    if found.url is not None or not any(each.operator in _UPPER for each in found.specifier):
        return None
    kept = [str(each) for each in found.specifier if each.operator not in _UPPER]
    kept += [f">={each.version.removesuffix('.*')}" for each in found.specifier if each.operator in _ALSO_LOWER]
    found.specifier = SpecifierSet(",".join(kept))
    return found


def held_back(before: Lock, planned: Lock, free: Lock, bounds: Mapping[str, str]) -> tuple[HeldBack, ...]:
    """What would be newer without the project's bounds. ``free`` is the lock without them."""
    locked, allowed, possible = before.single(), planned.single(), free.single()
    return tuple(
        HeldBack(name=name, locked=locked[name].version, available=possible[name].version, bound=bounds[name])
        for name in sorted(bounds.keys() & locked.keys() & possible.keys())
        if Version(possible[name].version)
        > max(Version(each[name].version) for each in (locked, allowed) if name in each)
    )
