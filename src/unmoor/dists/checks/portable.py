"""Check the names in a file for the systems that it is for: Windows and macOS, where not every name is possible.

A wheel with only tags of one system is for that one. An sdist and a wheel with the tag ``any`` are for every system,
or for those that the classifiers name. Such a file may hold names that are in nobody's way, such as test data that is
for Linux only, so they are warnings. In a wheel for Windows alone, they are errors: nobody can install it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

import msgspec

from unmoor.dists.checks.rules import By, CheckRule, Problem, violation
from unmoor.dists.inspect import FileName
from unmoor.dists.systems import excludes
from unmoor.filesystem.names import LONG, find_same_names, is_long, macos_fault, windows_fault
from unmoor.util.text import clean, count_of

NAMES = CheckRule(
    name="portable-names",
    refuses="a name that Windows or macOS cannot have, in an sdist or a wheel for any platform",
    by=By.INSTALLERS,
    warns=True,
)
CASE = CheckRule(
    name="portable-case",
    refuses="two names that differ only in case or Unicode normalization, in an sdist or a wheel for any platform: on"
    " Windows and macOS the second file replaces the first",
    by=By.INSTALLERS,
    warns=True,
)
LENGTH = CheckRule(
    name="portable-length",
    refuses=f"a path of more than {LONG} characters, in a file that Windows may unpack",
    by=By.INSTALLERS,
    warns=True,
)
LINKS = CheckRule(
    name="portable-links",
    refuses="a symbolic link in an sdist to a folder, or to nothing: where links are not allowed, as usual on Windows,"
    " tarfile can only copy files",
    by=By.INSTALLERS,
    warns=True,
)
WHEEL_NAMES = CheckRule(
    name="wheel-names",
    refuses="a name that is not possible on the only system that a wheel is for: Windows or macOS",
    by=By.INSTALLERS,
)
WHEEL_CASE = CheckRule(
    name="wheel-case",
    refuses="two names that differ only in case or Unicode normalization, in a wheel for Windows and macOS only",
    by=By.UNMOOR,
)
RULES = (NAMES, CASE, LENGTH, LINKS, WHEEL_NAMES, WHEEL_CASE)

_WINDOWS: Final = "win32"
_MACOS: Final = "darwin"
_TAGS: Final = {"win": _WINDOWS, "macosx": _MACOS}
# How many names of one kind are reported; the others are counted.
_MOST = 3


class Audience(msgspec.Struct, frozen=True, kw_only=True):
    """The systems among Windows and macOS that a file is for, and whether it is for no other one."""

    windows: bool
    macos: bool
    alone: bool = False

    @classmethod
    def of(cls, file: FileName, classifiers: Collection[str] = ()) -> Audience:
        """Tell it from the tags of a wheel. Classifiers decide about a file for any platform."""
        tags = {tag.platform for tag in file.tags} or {"any"}
        if "any" in tags:
            return cls(windows=not excludes(_WINDOWS, classifiers), macos=not excludes(_MACOS, classifiers))
        systems = {next((name for start, name in _TAGS.items() if tag.startswith(start)), "") for tag in tags}
        return cls(windows=_WINDOWS in systems, macos=_MACOS in systems, alone="" not in systems)


def check_names(audience: Audience, names: Collection[str]) -> Iterator[Problem]:
    """Check the names of all members: files, and folders with a slash at the end."""
    if not (audience.windows or audience.macos):
        return
    # Of a wheel for both systems, one may still be able to unpack what the other cannot.
    only = audience.alone and audience.windows is not audience.macos
    faults = ((name, _fault(audience, name)) for name in sorted(names))
    wrong = [f"the name {clean(name)} {fault}" for name, fault in faults if fault]
    yield from _first(WHEEL_NAMES if only else NAMES, wrong, "name")
    same = [
        f"{clean(each.first)} and {clean(each.second)} differ only in {each.difference}"
        for each in find_same_names(names)
    ]
    yield from _first(WHEEL_CASE if audience.alone else CASE, same, "pair")
    if audience.windows:
        long = [f"{clean(name)} is too long for most environments on Windows" for name in names if is_long(name)]
        yield from _first(LENGTH, sorted(long), "path")


def _fault(audience: Audience, name: str) -> str:
    return (audience.windows and windows_fault(name)) or (audience.macos and macos_fault(name)) or ""


def check_links(audience: Audience, names: Iterable[str], links: Mapping[str, str]) -> Iterator[Problem]:
    """Check the symbolic links of an sdist: where Windows does not allow them, files are copied in their place.

    ``names`` are those of all members, ``links`` the normalized names of links with what they lead to.
    """
    if not (links and audience.windows):
        return
    known = {posixpath.normpath(name) for name in names}
    folders = set()
    for name in known:
        while (name := posixpath.dirname(name)) and name not in folders:
            folders.add(name)
    wrong = [
        f"{clean(link)} is a link to {'the folder' if target in folders else 'nothing in the sdist:'} {clean(target)}"
        for link, target in sorted(links.items())
        if target in folders or target not in known
    ]
    yield from _first(LINKS, wrong, "link")


def _first(rule: CheckRule, lines: list[str], what: str) -> Iterator[Problem]:
    """The first problems of one kind, and the number of the others."""
    yield from (violation(rule, line) for line in lines[:_MOST])
    if len(lines) > _MOST:
        yield violation(rule, f"{count_of(len(lines) - _MOST, what)} more like these")
