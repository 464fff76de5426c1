"""Compare a workflow file with what unmoor would write: by meaning, and with room for newer pins.

Bots raise the pins in written files, so a newer pin is fine; a byte-for-byte check would fight with them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from enum import StrEnum
from itertools import zip_longest

import msgspec
from packaging.version import InvalidVersion, Version

from unmoor.workflows.pins import Pin, pin_of
from unmoor.workflows.reading import WorkflowFile, YamlList, YamlMap, YamlText, YamlValue

_COMMIT = re.compile(r"[0-9a-f]{40}")
_VERSION = re.compile(r"v?[0-9]+(\.[0-9]+){0,3}")
_LONGEST = 120


class DifferenceLevel(StrEnum):
    """``error``: the file does not do what it should. ``warning``: it may."""

    ERROR = "error"
    WARNING = "warning"


class WorkflowDifference(msgspec.Struct, frozen=True, kw_only=True):
    """One difference: the file, the line from 1, the place such as ``jobs.build.permissions``, and what is wrong."""

    file: str
    line: int
    place: str
    what: str
    level: DifferenceLevel = DifferenceLevel.ERROR


def compare(
    expected: WorkflowFile, found: WorkflowFile, *, is_own: Callable[[str], bool], locked: Callable[[str], bool]
) -> tuple[WorkflowDifference, ...]:
    """Return how a file differs from the expected one, by line.

    ``is_own`` tells the jobs that unmoor writes, by name; others are not looked at. ``locked`` tells whether the lock
    of the repository has an action, as in ``actions/checkout@v7``, so that a tag is as good as a commit.
    """
    comparison = _Comparison(found, is_own, locked)
    return tuple(sorted(comparison.values(expected.value, found.value, ""), key=lambda each: each.line))


class _Comparison(msgspec.Struct, frozen=True):
    found: WorkflowFile
    is_own: Callable[[str], bool]
    locked: Callable[[str], bool]

    def values(self, expected: YamlValue, found: YamlValue, place: str) -> Iterator[WorkflowDifference]:
        """Compare two values, whatever they are."""
        if isinstance(expected, YamlMap) and isinstance(found, YamlMap):
            yield from self._maps(expected, found, place)
        elif isinstance(expected, YamlList) and isinstance(found, YamlList):
            yield from self._lists(expected, found, place)
        elif isinstance(expected, YamlText) and isinstance(found, YamlText):
            yield from self._texts(expected, found, place)
        elif _bare(expected) != _bare(found):
            yield self._difference(found.line, place, f"it is {_shown(found)}, and should be {_shown(expected)}")

    def _maps(self, expected: YamlMap, found: YamlMap, place: str) -> Iterator[WorkflowDifference]:
        for key, value in expected.pairs.items():
            where = f"{place}.{key}" if place else key
            if key in found.pairs:
                yield from self.values(value, found.pairs[key], where)
            else:
                yield self._difference(found.line, where, f"it is missing, and should be {_shown(value)}")
        for key, value in found.pairs.items():
            if key not in expected.pairs and (place != "jobs" or self.is_own(key)):
                where = f"{place}.{key}" if place else key
                yield self._difference(found.lines[key], where, f"it is {_shown(value)}, and should not be there")

    def _lists(self, expected: YamlList, found: YamlList, place: str) -> Iterator[WorkflowDifference]:
        for number, (ours, theirs) in enumerate(zip(expected.items, found.items, strict=False), 1):
            yield from self.values(ours, theirs, f"{place}[{number}]")
        for number, value in enumerate(expected.items[len(found.items) :], len(found.items) + 1):
            yield self._difference(found.line, f"{place}[{number}]", f"it is missing, and should be {_shown(value)}")
        for number, value in enumerate(found.items[len(expected.items) :], len(expected.items) + 1):
            what = f"it is {_shown(value)}, and should not be there"
            yield self._difference(value.line, f"{place}[{number}]", what)

    def _texts(self, expected: YamlText, found: YamlText, place: str) -> Iterator[WorkflowDifference]:
        if _bare(expected) == _bare(found) or (place.endswith(".if") and _condition(expected) == _condition(found)):
            return
        action, at, _ = expected.text.partition("@")
        if place.endswith(".uses") and at and found.text.startswith(f"{action}@"):
            reference = found.text.partition("@")[2]
            fault = pin_fault(pin_of(action), reference, self.found.comment_on(found.line))
            if fault is None or (_COMMIT.fullmatch(reference) is None and self.locked(found.text)):
                return
            yield self._difference(found.line, place, f"{action}: {fault.what}", fault.level)
        else:
            yield self._difference(found.line, place, _how_different(expected.text, found.text))

    def _difference(
        self, line: int, place: str, what: str, level: DifferenceLevel = DifferenceLevel.ERROR
    ) -> WorkflowDifference:
        return WorkflowDifference(file=self.found.path, line=line, place=place, what=what, level=level)


class PinFault(msgspec.Struct, frozen=True):
    """What is wrong with a pin."""

    what: str
    level: DifferenceLevel = DifferenceLevel.ERROR


def pin_fault(ours: Pin, reference: str, comment: str) -> PinFault | None:
    """What is wrong with a pin, by the pin that this version knows; ``None`` for the same or a newer one.

    The comment beside a commit says which version it is. Nothing else does without asking the forge.
    """
    if _COMMIT.fullmatch(reference) is None:
        return PinFault(f"{reference[:60]!r} is not a commit, so what runs can change; {ours.version} is {ours.commit}")
    if reference == ours.commit:
        return None
    version = version_in(comment)
    if version is None:
        return PinFault(f"no comment says which version the commit {reference} is")
    return _version_fault(ours, reference, version, comment)


def _version_fault(ours: Pin, reference: str, version: Version, comment: str) -> PinFault | None:
    known = Version(ours.version)
    if version < known:
        return PinFault(f"{comment} is older than {ours.version}, which is {ours.commit}")
    if version == known:
        return PinFault(f"{reference} is not the commit of {ours.version}, which is {ours.commit}")
    if version.major != known.major:
        what = f"{comment} is another major version than {ours.version}, which was tried"
        return PinFault(what, DifferenceLevel.WARNING)
    return None


def version_in(comment: str) -> Version | None:
    """The version that a comment beside a pin begins with, as in ``v7.0.1``; ``None`` if there is none."""
    word = (comment.split() or [""])[0].removeprefix("tag=").removeprefix("ratchet:")
    if _VERSION.fullmatch(word) is None:
        return None
    try:
        return Version(word)
    except InvalidVersion:
        return None


def _how_different(expected: str, found: str) -> str:
    """Say what a text is and should be: of a script only the first line that differs, from where it does."""
    pairs = zip_longest(expected.strip().split("\n"), found.strip().split("\n"))
    number, (ours, theirs) = next((n, pair) for n, pair in enumerate(pairs, 1) if pair[0] != pair[1])
    where = f"line {number} is" if "\n" in expected.strip() or "\n" in found.strip() else "it is"
    if ours is None:
        return f"{where} {theirs[:_LONGEST]!r}, and should not be there"
    if theirs is None:
        return f"{where} missing, and should be {ours[:_LONGEST]!r}"
    same = next((n for n, pair in enumerate(zip(ours, theirs, strict=False)) if pair[0] != pair[1]), 0)
    begin = max(same - _LONGEST // 2, 0) if max(len(ours), len(theirs)) > _LONGEST else 0
    ours, theirs = (f"{'…' if begin else ''}{text[begin : begin + _LONGEST]}" for text in (ours, theirs))
    return f"{where} {theirs!r}, and should be {ours!r}"


def _bare(value: YamlValue) -> object:
    """A text that GitHub reads like another value: a list of one text, and nothing for an empty mapping."""
    if isinstance(value, YamlList) and len(value.items) == 1:
        return _bare(value.items[0])
    if isinstance(value, YamlMap) and not value.pairs:
        return ""
    return value.text if isinstance(value, YamlText) else value


def _condition(value: YamlText) -> str:
    """A condition without the braces that GitHub adds by itself."""
    text = value.text.strip()
    return text[3:-2].strip() if text.startswith("${{") and text.endswith("}}") and "${{" not in text[3:] else text


def _shown(value: YamlValue) -> str:
    if isinstance(value, YamlText):
        first, *more = value.text.strip().split("\n")
        return repr(first[:_LONGEST] + (" …" if more or len(first) > _LONGEST else ""))
    if isinstance(value, YamlMap):
        return f"a mapping of {', '.join(list(value.pairs)[:8])}" if value.pairs else "an empty mapping"
    texts = [each.text for each in value.items if isinstance(each, YamlText)]
    return f"a list of {', '.join(texts)[:_LONGEST]}" if len(texts) == len(value.items) else "a list of other values"
