"""Decide whether a result can be believed: it comes from a job that has run code of the project.

Only locks are taken from it, and of these only what its updates name: each version that changes is listed, everything
else is as it was, and every file comes from an index and a host that the lock of the commit names already.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import msgspec
from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

from unmoor import advice
from unmoor.errors import ConfigError, Refused
from unmoor.maintenance.updates.groups import ORDER
from unmoor.maintenance.updates.lock import Lock, LockedPackage, Move, difference, read_lock
from unmoor.maintenance.updates.result import TestedGroup, UpdateResult
from unmoor.util.decode import decode_json
from unmoor.util.digests import is_commit
from unmoor.util.text import clean

LARGEST: Final = 60_000_000
"""Bytes of a result: three locks, and the rest."""
_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,98}[a-z0-9])?")
_VERSION: Final = re.compile(r"[0-9A-Za-z.+!_-]{1,100}")
_HASH: Final = re.compile(r"sha256:[0-9a-f]{64}")
_FILES: Final = frozenset({"sdist", "wheels"})


def read_result(data: bytes, where: str) -> UpdateResult:
    """Read a result. Raises `Refused` if it is not one."""
    if len(data) > LARGEST:
        raise _refused(f"it is larger than {LARGEST:,} bytes", where)
    try:
        result = decode_json(data, UpdateResult)
    except ValueError as error:
        raise _refused(clean(str(error), 200), where) from error
    if result.format != 1 or not is_commit(result.commit):
        raise _refused("it has another format, or names no commit", where)
    return result


def require_believable(result: UpdateResult, lock: bytes, where: str) -> None:
    """Raise `Refused` unless each group changes just what it names. ``lock`` is that of the result's commit."""
    if hashlib.sha256(lock).hexdigest() != result.lock_sha256:
        raise _refused("it was made from another lock than that of its commit", where)
    groups = [each.group for each in result.groups]
    if groups != [group for group in ORDER if group in groups]:
        raise _refused("its groups are not in order, or one is there twice", where)
    before = read_lock(lock)
    sources = _Sources.of(before)
    for group in result.groups:
        try:
            after = read_lock(group.lock.encode())
        except (ConfigError, UnicodeError) as error:
            raise _refused(f"the lock of the group {group.group} cannot be read: {error}", where) from error
        fault = next(_faults(group, before, after, sources), "")
        if fault:
            raise _refused(f"{group.group}: {fault}", where)
        before = after


def is_plain(move: Move) -> bool:
    """Whether name and versions are what they should be, so that they can be shown anywhere."""
    versions = filter(None, (move.before, move.after))
    return _NAME.fullmatch(move.name) is not None and all(map(_VERSION.fullmatch, versions))


def _refused(why: str, where: str) -> Refused:
    return Refused(f"the result of the update is not usable: {why}", where=where, next_step=advice.MAKE_NEW_RESULT())


def _faults(group: TestedGroup, before: Lock, after: Lock, sources: _Sources) -> Iterator[str]:
    """What is wrong with a group, if anything is."""
    named = [Move(name=each.name, before=each.before, after=each.after) for each in group.updates]
    moves = [*named, *group.also]
    for each in moves:
        if not is_plain(each):
            yield f"{clean(each.name, 60)!r} is no name with versions"
            return
    if not group.updates or any(each.group is not group.group for each in group.updates):
        yield "it has no updates, or some of another group"
    found = difference(before, after)
    if found.lowered or found.several:
        yield f"{(*(each.name for each in found.lowered), *found.several)[0]} does not rise"
    changed = {(each.name, each.before, each.after) for each in (*found.raised, *found.added, *found.removed)}
    if changed != {(each.name, each.before, each.after) for each in moves} or len(changed) != len(moves):
        yield "its lock changes other packages than it names"
    if after.rest != before.rest:
        yield "its lock differs in more than packages"
    yield from _changed_entries(before, after, sources)


def _changed_entries(before: Lock, after: Lock, sources: _Sources) -> Iterator[str]:
    """Packages that keep their version must be the same, and new ones must come from known places."""
    old: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for each in before.packages:
        old.setdefault((each.name, each.version), []).append(_identity(each))
    for each in after.packages:
        same = old.get((each.name, each.version))
        if same is None:
            if fault := sources.fault(each):
                yield fault
        elif _identity(each) not in same:
            yield f"the entry of {each.name} {each.version} is another one"
    own = {each.name for each in before.packages if not each.registry}
    if own != {each.name for each in after.packages if not each.registry}:
        yield "it changes packages that are not from an index"
    if _own_links(before) != _own_links(after):
        yield "it changes what the project depends on"


def _own_links(lock: Lock) -> list[Mapping[str, Any]]:
    """The names that the packages of the repository depend on, whose versions may change."""
    return [
        {key: sorted(_names(value)) for key, value in each.links.items() if key != "resolution-markers"}
        for each in lock.packages
        if not each.registry
    ]


def _names(value: object) -> Iterator[str]:
    """The names in a list of dependencies, or in a table of such lists."""
    if isinstance(value, Mapping):
        for each in value.values():
            yield from _names(each)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        yield from (str(each.get("name")) for each in value if isinstance(each, Mapping))


def _identity(package: LockedPackage) -> Mapping[str, Any]:
    """What an entry says of its package alone; a newer uv may add when a file was uploaded."""
    files = sorted((str(each.get("url", each.get("path", ""))), str(each.get("hash"))) for each in package.files)
    return {**{key: value for key, value in package.content.items() if key not in _FILES}, "files": files}


class _Sources(msgspec.Struct, frozen=True):
    """The indexes that a lock names, each with the places of its files."""

    places: Mapping[str, frozenset[tuple[str, str]]]

    @classmethod
    def of(cls, lock: Lock) -> _Sources:
        """Collect them from a lock that is trusted."""
        found: dict[str, set[tuple[str, str]]] = {}
        for each in lock.packages:
            if each.registry:
                found.setdefault(each.registry, set()).update(map(_place, each.files))
        return cls({registry: frozenset(places) for registry, places in found.items()})

    def fault(self, package: LockedPackage) -> str:
        """Why a package that is new is not from one of them; empty if it is."""
        shown = f"{package.name} {package.version}"
        if package.registry not in self.places:
            return f"{shown} is from an index that the lock of the commit does not name"
        if not package.files:
            return f"{shown} has no files"
        for each in package.files:
            if not _HASH.fullmatch(str(each.get("hash"))):
                return f"a file of {shown} has no sha256"
            if _place(each) not in self.places[package.registry]:
                return f"a file of {shown} is from a host that the lock of the commit does not name"
            if not _is_file_of(package, str(each.get("url", each.get("path", "")))):
                return f"a file of {shown} has the name of another one"
        return ""


def _place(file: Mapping[str, Any]) -> tuple[str, str]:
    """Where a file comes from: the scheme and the host, both empty for a path."""
    parts = urlsplit(str(file.get("url", "")))
    return parts.scheme, parts.netloc


def _is_file_of(package: LockedPackage, address: str) -> bool:
    """Whether the name of a file is that of a wheel or an sdist of the package and its version."""
    name = unquote(urlsplit(address).path).rpartition("/")[2]
    try:
        found = parse_wheel_filename(name)[:2] if name.endswith(".whl") else parse_sdist_filename(name)
    except (InvalidWheelFilename, InvalidSdistFilename, ValueError):
        return False
    return found == (package.name, Version(package.version))


def pins_of(moves: Iterable[Move]) -> list[str]:
    """The requirements that lead from the lock before to that of a group."""
    return [f"{each.name}=={each.after}" for each in moves if each.after]
