"""Read locks of uv, and say what differs between two of them.

Only packages of an index count: the project itself, paths and repositories of git have no versions to choose from.
Source: the lock that uv writes, https://docs.astral.sh/uv/concepts/projects/layout/#the-lockfile.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from unmoor import advice
from unmoor.errors import ConfigError
from unmoor.util.decode import decode_toml
from unmoor.util.text import clean
from unmoor.util.values import replace

NAME: Final = "uv.lock"
LARGEST: Final = 20_000_000
_FORMAT: Final = 1
# Without these, two entries of one package say the same: uv rewrites them when other packages change.
_LINKS: Final = frozenset({"dependencies", "optional-dependencies", "dev-dependencies", "resolution-markers"})
# What a newer uv, or another set of packages, may change in the rest of the lock.
_MOVING: Final = frozenset({"package", "revision", "resolution-markers", "supported-markers", "conflicts"})


class LockedPackage(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a lock. ``registry`` is the address or path of its index, empty if it is from elsewhere.

    ``year`` is that in which its first file was uploaded, 0 if the lock does not say; ``uploaded`` is the last upload.
    """

    name: str
    version: str
    registry: str
    entry: Mapping[str, Any]
    year: int = 0
    uploaded: datetime | None = None

    @property
    def links(self) -> Mapping[str, Any]:
        """The part of the entry that names other packages."""
        return {key: value for key, value in self.entry.items() if key in _LINKS}

    @property
    def content(self) -> Mapping[str, Any]:
        """The part of the entry that is about this package alone."""
        return {key: value for key, value in self.entry.items() if key not in _LINKS}

    @property
    def files(self) -> tuple[Mapping[str, Any], ...]:
        """The sdist and the wheels, each with its address and hash."""
        found = [self.entry.get("sdist"), *(self.entry.get("wheels") or ())]
        return tuple(each for each in found if isinstance(each, Mapping))


class Lock(msgspec.Struct, frozen=True, kw_only=True):
    """A lock: its packages, and everything else that does not depend on which packages they are."""

    packages: tuple[LockedPackage, ...]
    rest: Mapping[str, Any]

    def versions(self) -> dict[str, tuple[str, ...]]:
        """The versions of each package of an index: several if they differ by platform or Python."""
        found: dict[str, tuple[str, ...]] = {}
        for each in self.packages:
            if each.registry:
                found[each.name] = (*found.get(each.name, ()), each.version)
        return found

    def single(self) -> dict[str, LockedPackage]:
        """The packages of an index that have one version."""
        several = {name for name, versions in self.versions().items() if len(versions) > 1}
        return {each.name: each for each in self.packages if each.registry and each.name not in several}


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """A package whose version changes. Empty: it was not there before, or is not there any more."""

    name: str
    before: str = ""
    after: str = ""

    @property
    def words(self) -> str:
        """What happens to it."""
        if self.before and self.after:
            return f"{self.name} {self.before} -> {self.after}"
        return f"{self.name} {self.after} is added" if self.after else f"{self.name} {self.before} is removed"


class LockDifference(msgspec.Struct, frozen=True, kw_only=True):
    """What differs between two locks: versions that rise, versions that fall, packages that come and go.

    ``several`` are packages with several versions in one of them, of which one differs.
    """

    raised: tuple[Move, ...] = ()
    lowered: tuple[Move, ...] = ()
    added: tuple[Move, ...] = ()
    removed: tuple[Move, ...] = ()
    several: tuple[str, ...] = ()


def read_lock(data: bytes, where: str = NAME) -> Lock:
    """Read a lock. Raises `ConfigError` if it is not one that this reads."""
    if len(data) > LARGEST:
        raise ConfigError(f"the lock is larger than {LARGEST:,} bytes", where=where, next_step=advice.UPDATE_LOCK())
    try:
        document = decode_toml(data)
    except ValueError as error:
        raise _unreadable(f"is not TOML: {clean(str(error), 200)}", where) from error
    if document.get("version") != _FORMAT:
        raise _unreadable(f"has the format {clean(repr(document.get('version')), 40)}, and 1 is supported", where)
    entries = document.get("package", [])
    if not isinstance(entries, list):
        raise _unreadable("has no list of packages", where)
    return Lock(
        packages=tuple(_package(each, where) for each in entries),
        rest={key: value for key, value in document.items() if key not in _MOVING},
    )


def _package(entry: object, where: str) -> LockedPackage:
    source = entry.get("source") if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or not isinstance(source, dict) or not isinstance(entry.get("name"), str):
        raise _unreadable("has a package without a name or a source", where)
    name, version, registry = entry["name"], entry.get("version", ""), source.get("registry", "")
    if not isinstance(version, str) or not isinstance(registry, str) or canonicalize_name(name) != name:
        raise _unreadable(f"has an odd package {clean(name, 60)!r}", where)
    if registry:
        try:
            Version(version)
        except InvalidVersion as error:
            raise _unreadable(f"gives {clean(name, 60)} the version {clean(version, 60)!r}", where) from error
    found = LockedPackage(name=name, version=version, registry=registry, entry=entry)
    times = [time for each in found.files if (time := _time(each.get("upload-time"))) is not None]
    return replace(found, year=min(times).year, uploaded=max(times)) if times else found


def _time(text: object) -> datetime | None:
    """When a file was uploaded, which uv writes as text."""
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found.astimezone(UTC) if found is not None and found.tzinfo is not None else None


def _unreadable(why: str, where: str) -> ConfigError:
    return ConfigError(f"the lock {why}", where=where, next_step=advice.UPDATE_LOCK())


def difference(before: Lock, after: Lock) -> LockDifference:
    """Compare two locks by the versions of their packages."""
    old, new = before.versions(), after.versions()
    changed = [name for name in sorted(old.keys() | new.keys()) if set(old.get(name, ())) != set(new.get(name, ()))]
    several = [name for name in changed if len(old.get(name, ())) > 1 or len(new.get(name, ())) > 1]
    moves = [
        Move(name=name, before="".join(old.get(name, ())), after="".join(new.get(name, ())))
        for name in changed
        if name not in several
    ]
    both = [each for each in moves if each.before and each.after]
    rises = {each.name for each in both if Version(each.after) > Version(each.before)}
    return LockDifference(
        raised=tuple(each for each in both if each.name in rises),
        lowered=tuple(each for each in both if each.name not in rises),
        added=tuple(each for each in moves if not each.before),
        removed=tuple(each for each in moves if not each.after),
        several=tuple(several),
    )
